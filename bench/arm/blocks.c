// A plugin for QEMU's user-mode emulator (TCG plugins, API version 1): how often each translated
// block ran between two calls of getppid(2). Writes one line per block to the file of the argument
// out=FILE:
//   count  address  symbol  words  arithmetic  SIMD loads and stores  others  integer  then
//   the bytes of each word as llvm-mc reads them
// where the four numbers after `words` say how many of the words are what.
// Debian ships the emulator with plugins but not their header, so what is used of it is declared
// here.
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_callback)(plugin_id, struct qemu_plugin_tb*);
typedef void (*syscall_callback)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t,
                                 uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, tb_callback);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, syscall_callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, int op, void* value,
                                              uint64_t increment);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn*);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn*);
const char* qemu_plugin_insn_symbol(const struct qemu_plugin_insn*);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { kInlineAdd = 0, kGetppid = 173 };  // AArch64's number.

struct block {
  uint64_t count;
  uint64_t address;
  const char* symbol;
  size_t words;
  uint32_t* word;
  struct block* next;
};
static struct block* blocks;
static const char* path;
static int marks;

static void translated(plugin_id id, struct qemu_plugin_tb* tb) {
  (void)id;
  struct block* b = calloc(1, sizeof *b);
  b->words = qemu_plugin_tb_n_insns(tb);
  b->word = calloc(b->words, sizeof *b->word);
  for (size_t i = 0; i < b->words; ++i) {
    memcpy(&b->word[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), 4);
  }
  b->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
  b->symbol = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(tb, 0));
  b->next = blocks;
  blocks = b;
  qemu_plugin_register_vcpu_tb_exec_inline(tb, kInlineAdd, &b->count, 1);
}

// The classes of the architecture's top-level encoding table, bits 28 to 25 and 26.
enum { kSimd, kSimdMemory, kMemory, kInteger, kClasses };
static int class_of(uint32_t word) {
  const uint32_t group = word >> 25 & 15;
  if ((group & 5) == 4) return (word >> 26 & 1) != 0 ? kSimdMemory : kMemory;
  return (group & 7) == 7 ? kSimd : kInteger;
}

static void write_blocks(void) {
  FILE* out = fopen(path, "w");
  if (out == NULL) {
    perror(path);
    exit(1);
  }
  for (const struct block* b = blocks; b != NULL; b = b->next) {
    if (b->count == 0) continue;
    fprintf(out, "%" PRIu64 " %" PRIx64 " %s", b->count, b->address,
            b->symbol != NULL && *b->symbol != '\0' ? b->symbol : "?");
    size_t classes[kClasses] = {0};
    for (size_t i = 0; i < b->words; ++i) ++classes[class_of(b->word[i])];
    fprintf(out, " %zu", b->words);
    for (int i = 0; i < kClasses; ++i) fprintf(out, " %zu", classes[i]);
    for (size_t i = 0; i < b->words; ++i) {
      const uint32_t w = b->word[i];
      fprintf(out, " 0x%02x,0x%02x,0x%02x,0x%02x", w & 255, w >> 8 & 255, w >> 16 & 255, w >> 24);
    }
    fputc('\n', out);
  }
  if (fclose(out) != 0) {
    perror(path);
    exit(1);
  }
}

static void called(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  if (number != kGetppid) return;
  if (++marks == 1) {
    for (struct block* i = blocks; i != NULL; i = i->next) i->count = 0;
  } else if (marks == 2) {
    write_blocks();
  }
}

EXPORT int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "out=", 4) == 0) path = strdup(argv[i] + 4);
  }
  if (path == NULL) {
    fputs("blocks: out=FILE is missing\n", stderr);
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  return 0;
}

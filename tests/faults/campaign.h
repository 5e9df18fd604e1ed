// A call again and again, each time with another request for memory or for a thread that fails:
// success with the right results, or the code for it and a sentence; nothing leaked, nothing left
// half done; and the same call once more succeeds and gives the right results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "deeplab/deeplab.h"
#include "tests/faults/failing_memory.h"
#include "tests/sanitizers.h"

namespace deeplab::testing {

/// FNV-1a over what a call gave.
class Digest {
 public:
  template <typename T>
  Digest& add(const T* values, size_t count) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(values);
    for (size_t i = 0; i < count * sizeof(T); ++i) state_ = (state_ ^ bytes[i]) * 0x100000001B3u;
    return *this;
  }
  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0xCBF29CE484222325u;
};

/// What came of a call. Holds nothing that is allocated: it is filled in while memory is out.
struct Outcome {
  deeplab_status code = DEEPLAB_OK;
  char sentence[120] = "";  ///< Cut off.
  bool threw = false;       ///< An exception came out of a function that promises none.
  uint64_t digest = 0;
};

inline Outcome failed(deeplab_status code, const char* sentence) {
  Outcome outcome;
  outcome.code = code;
  std::strncpy(outcome.sentence, sentence, sizeof(outcome.sentence) - 1);
  return outcome;
}

/// A call under test and what it needs. A new one is made for every fault.
class Subject {
 public:
  virtual ~Subject() = default;
  /// The call, and the digest of its results; leaves nothing that the subject does not own.
  virtual Outcome call() = 0;
  /// Whether what the call writes outside of this process is whole or not there.
  virtual bool left_whole() { return true; }
};
using MakeSubject = std::function<std::unique_ptr<Subject>()>;

/// For calls of which a sanitizer, under which they take long, looks at every fifth request.
constexpr size_t kStepOfLarge = kAddressSanitizer ? 5 : 1;

Outcome call_with_fault(Subject& subject, Failing failing, int64_t n, bool& has_failed);

/// The requests of a call, counted from 1: the first of each chain of calls, since an op of the
/// network asks for what its neighbour asks for, or, with DEEPLAB_ALL_FAULTS set, all.
std::vector<int64_t> sites_of(Subject& subject, uint64_t& digest);

/// Each `step`-th of them fails by itself, then with all after it; prints one line for each.
void campaign(const char* name, const MakeSubject& make, size_t step = 1);

/// A call of the rooms, which give a Result of what the digest is made of.
class RoomCall : public Subject {
 public:
  enum class Throws : uint8_t {
    kNever,     ///< It promises a Status for everything.
    kBadAlloc,  ///< It leaves std::bad_alloc to the border, which makes an error of it.
  };
  RoomCall(Throws throws, std::function<Result<uint64_t>()> body)
      : throws_(throws), body_(std::move(body)) {}
  Outcome call() override;

 private:
  Throws throws_;
  std::function<Result<uint64_t>()> body_;
};

/// The campaign of such a call.
void campaign(const char* name, RoomCall::Throws throws,
              const std::function<Result<uint64_t>()>& body, size_t step = 1);

}  // namespace deeplab::testing

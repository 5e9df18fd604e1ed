#include "tests/faults/campaign.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace deeplab::testing {
namespace {

/// status() copies the sentence, which needs memory: a caller's own affair.
Outcome outcome_of(const Result<uint64_t>& failure) {
  try {
    const Status status = failure.status();
    return failed(static_cast<deeplab_status>(status.code()), status.message().c_str());
  } catch (const std::bad_alloc&) {
    return failed(DEEPLAB_RESOURCE_EXHAUSTED, "no memory to copy the sentence");
  }
}

struct Tally {
  int64_t sites = 0;
  int64_t errors = 0;     ///< DEEPLAB_RESOURCE_EXHAUSTED and a sentence.
  int64_t recovered = 0;  ///< Success with the right results all the same.
  int64_t bad = 0;        ///< Anything else.
};

/// One fault: whether all is as promised, and a word for the table.
void try_one(const MakeSubject& make, uint64_t expected, Failing failing, int64_t n, Tally& tally) {
  const int64_t before = live_allocations();
  auto subject = make();
  bool has_failed = false;
  const Outcome outcome = call_with_fault(*subject, failing, n, has_failed);
  const bool is_right = outcome.code == DEEPLAB_OK && outcome.digest == expected;
  const bool is_error = outcome.code == DEEPLAB_RESOURCE_EXHAUSTED && outcome.sentence[0] != '\0';
  const bool is_whole = subject->left_whole();
  const Outcome again = subject->call();
  subject.reset();
  const bool is_usable = again.code == DEEPLAB_OK && again.digest == expected;
  const bool leaks = live_allocations() != before;
  ++tally.sites;
  tally.errors += is_error ? 1 : 0;
  tally.recovered += is_right ? 1 : 0;
  if (has_failed && (is_right || is_error) && !outcome.threw && is_whole && is_usable && !leaks) {
    return;
  }
  ++tally.bad;
  ADD_FAILURE() << (failing == Failing::kOne ? "request " : "requests from ") << n
                << (has_failed ? " failed: code " : " was never made: code ") << outcome.code
                << " \"" << outcome.sentence << "\"" << (outcome.threw ? ", threw" : "")
                << (is_right || is_error ? "" : ", wrong") << (leaks ? ", leaks" : "")
                << (is_whole ? "" : ", leaves something half done") << "; again: code "
                << again.code << (again.digest == expected ? "" : ", other results");
}

bool wants_all() { return std::getenv("DEEPLAB_ALL_FAULTS") != nullptr; }

}  // namespace

Outcome call_with_fault(Subject& subject, Failing failing, int64_t n, bool& has_failed) {
  const FailingMemory memory(failing, n);
  Outcome outcome;
  try {
    outcome = subject.call();
  } catch (...) {
    outcome = Outcome();
    outcome.threw = true;
  }
  has_failed = memory.has_failed();
  return outcome;
}

std::vector<int64_t> sites_of(Subject& subject, uint64_t& digest) {
  int64_t requests = 0;
  std::vector<int64_t> sites;
  {
    const RequestRecorder recorder;
    digest = subject.call().digest;
    requests = recorder.requests();
    sites = recorder.distinct();
  }
  if (wants_all()) {
    sites.resize(static_cast<size_t>(requests));
    std::iota(sites.begin(), sites.end(), 1);
  }
  return sites;
}

void campaign(const char* name, const MakeSubject& make, size_t step) {
  make()->call();  // what a process does once is done then; FirstUse looks at that
  uint64_t expected = 0;
  const std::vector<int64_t> sites = sites_of(*make(), expected);
  for (const Failing failing : {Failing::kOne, Failing::kAllFrom}) {
    Tally tally;
    for (size_t i = 0; i < sites.size(); i += step) {
      try_one(make, expected, failing, sites[i], tally);
      if (tally.bad == 5) break;
    }
    std::printf("%-26s %-9s %6lld sites: %6lld clean errors, %4lld recovered, %lld else\n", name,
                failing == Failing::kOne ? "one fails" : "all from", (long long)tally.sites,
                (long long)tally.errors, (long long)tally.recovered, (long long)tally.bad);
    std::fflush(stdout);
  }
}

Outcome RoomCall::call() {
  try {
    const Result<uint64_t> result = body_();
    if (!result.ok()) return outcome_of(result);
    Outcome outcome;
    outcome.digest = *result;
    return outcome;
  } catch (const std::bad_alloc&) {
    if (throws_ == Throws::kNever) throw;
    return failed(DEEPLAB_RESOURCE_EXHAUSTED, "at the border");
  }
}

void campaign(const char* name, RoomCall::Throws throws,
              const std::function<Result<uint64_t>()>& body, size_t step) {
  campaign(
      name, [&] { return std::make_unique<RoomCall>(throws, body); }, step);
}

}  // namespace deeplab::testing

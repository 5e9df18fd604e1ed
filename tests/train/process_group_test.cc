// Process groups of real processes over loopback: this program starts itself again, once per rank.
// The child's side is the test DISABLED_Child; what it is to do comes in ROLE, and what it found
// goes into a file.
#include "train/distributed/process_group.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <torch/torch.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace deeplab::train {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using Clock = std::chrono::steady_clock;
using Variables = std::map<std::string, std::string>;

// ---------------------------------------------------------------- the child's side

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Every bit of the tensors, as text short enough to compare and to print.
std::string fingerprint(const std::vector<torch::Tensor>& tensors) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const torch::Tensor& tensor : tensors) {
    const torch::Tensor flat = tensor.detach().contiguous();
    const auto* bytes = static_cast<const uint8_t*>(flat.data_ptr());
    for (size_t i = 0; i < flat.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  }
  return std::to_string(hash);
}

/// What a rank brings: every size that buckets treat differently, views that are not contiguous, a
/// leaf that wants gradients, two types. Seeded, so that the parent can make them too.
std::vector<torch::Tensor> gradients(int rank) {
  torch::manual_seed(1000 + rank);
  std::vector<torch::Tensor> list;
  list.push_back(torch::randn({3, 5}));
  list.push_back(torch::randn({4, 6}).t());
  list.push_back(torch::randn({}) * 1e-30);
  list.push_back(torch::randn({0, 7}));
  list.push_back(torch::randn({17}, torch::kFloat64));
  list.push_back(torch::randn({1100, 1000}));  // more than a bucket
  list.push_back(torch::randn({700, 1000}));
  list.push_back(torch::randn({700, 1000}) * 1e20);
  list.push_back(torch::randn({2, 3, 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast));
  list.push_back(torch::randn({8}).requires_grad_());
  return list;
}

std::string run_role(const std::string& role, ProcessGroup& group) {
  const int rank = group.rank();
  if (role == "join") return "joined";
  if (role == "average") {
    std::vector<torch::Tensor> tensors = gradients(rank);
    const std::vector<torch::Tensor> views = tensors;
    if (const Status status = group.average(tensors); !status.ok()) return status.message();
    return fingerprint(views);  // in place: who held a tensor before sees the mean
  }
  if (role == "sum") {
    const Result<double> number = group.sum(0.1 * (rank + 1));
    if (!number.ok()) return number.status().message();
    std::vector<torch::Tensor> counts = {torch::tensor({int64_t{1} << 60, int64_t{rank}})};
    if (const Status status = group.sum(counts); !status.ok()) return status.message();
    std::ostringstream out;
    out.precision(17);
    out << *number << " " << counts[0][0].item<int64_t>() << " " << counts[0][1].item<int64_t>();
    return out.str();
  }
  if (role == "shapes") {
    std::vector<torch::Tensor> tensors = {torch::ones({rank == 0 ? 5 : 6})};
    const std::string first = group.average(tensors).message();
    return first + (group.barrier().message() == first ? " (again)" : " (forgotten)");
  }
  if (role == "calls") {
    std::vector<torch::Tensor> tensors = {torch::ones({5})};
    return (rank == 0 ? group.average(tensors) : group.barrier()).message();
  }
  if (role == "options") {
    const std::string same = group.check_same("the options", "--crop 321").message();
    return same + group.check_same("the options", "--crop " + std::to_string(rank)).message();
  }
  if (role == "killed") {
    // Rank 1 dies in the middle of a run; the others find out in the next call, or the one after.
    std::vector<torch::Tensor> tensors = {torch::ones({3000000})};
    for (int step = 0; step < 1000; ++step) {
      if (rank == 1 && step == 3) ::kill(::getpid(), SIGKILL);
      const Clock::time_point start = Clock::now();
      const Status status = group.average(tensors);
      if (status.ok()) continue;
      const auto took = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start);
      return std::to_string(step) + " " + std::to_string(took.count()) + " " + status.message();
    }
    return "never noticed";
  }
  if (role == "silent") {
    if (rank == 1) std::this_thread::sleep_for(std::chrono::seconds(4));
    return group.barrier().message();
  }
  if (role == "leaves") {
    if (rank == 1) return "left";
    return group.barrier().message();
  }
  return "no such role";
}

// ---------------------------------------------------------------- the parent's side

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

struct Outcome {
  bool hung = false;
  int signal = 0;
  std::string report;
};

class ProcessGroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    prefix_ = ::testing::TempDir() + "group_" + std::to_string(::getpid()) + "_";
    port_ = std::to_string(free_port());
  }

  Variables torchrun(int rank, int world, const std::string& address = "127.0.0.1") const {
    return {{"RANK", std::to_string(rank)},
            {"WORLD_SIZE", std::to_string(world)},
            {"MASTER_ADDR", address},
            {"MASTER_PORT", port_}};
  }

  /// Starts a rank; `timeout` is the group's, in seconds.
  void start(const std::string& role, const Variables& variables, int timeout = 60) {
    const std::string report = prefix_ + std::to_string(children_.size());
    std::filesystem::remove(report);
    std::vector<std::string> environment = {
        "ROLE=" + role,      "REPORT=" + report,   "TIMEOUT=" + std::to_string(timeout),
        "OMP_NUM_THREADS=1", "PATH=/usr/bin:/bin", "TORCH_CPP_LOG_LEVEL=ERROR"};
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
    for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH"}) {
      if (std::getenv(name) != nullptr) environment.push_back(name + ("=" + variable(name)));
    }
    std::vector<char*> pointers;
    for (std::string& entry : environment) pointers.push_back(entry.data());
    pointers.push_back(nullptr);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const pid_t child = ::fork();
    if (child == 0) {
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDOUT_FILENO);
      std::string filter = "--gtest_filter=ProcessGroupChild.DISABLED_Child";
      std::string also = "--gtest_also_run_disabled_tests";
      std::string name = self;
      char* arguments[] = {name.data(), filter.data(), also.data(), nullptr};
      ::execve(self.c_str(), arguments, pointers.data());
      ::_exit(127);
    }
    children_.push_back({child, report});
  }

  /// Waits for all ranks. One that is still there after `limit` hangs, and is killed.
  std::vector<Outcome> finish(std::chrono::seconds limit = std::chrono::seconds(90)) {
    const Clock::time_point deadline = Clock::now() + limit;
    std::vector<Outcome> outcomes;
    for (const auto& [child, report] : children_) {
      Outcome outcome;
      int status = 0;
      while (::waitpid(child, &status, WNOHANG) == 0) {
        if (Clock::now() > deadline && !outcome.hung) {
          outcome.hung = true;
          ::kill(child, SIGKILL);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
      std::ifstream in(report);
      outcome.report.assign(std::istreambuf_iterator<char>(in), {});
      std::filesystem::remove(report);
      EXPECT_FALSE(outcome.hung) << "rank " << outcomes.size() << " hung";
      outcomes.push_back(outcome);
    }
    children_.clear();
    return outcomes;
  }

  std::vector<Outcome> run(const std::string& role, int world, int timeout = 60) {
    for (int rank = 0; rank < world; ++rank) start(role, torchrun(rank, world), timeout);
    return finish();
  }

  std::string prefix_;
  std::string port_;
  std::vector<std::pair<pid_t, std::string>> children_;
};

TEST(ProcessGroupChild, DISABLED_Child) {
  const std::string role = variable("ROLE");
  if (role.empty()) GTEST_SKIP() << "skipped: only for the tests of process groups to start";
  torch::set_num_threads(1);
  const auto timeout = std::chrono::milliseconds(1000 * std::stol(variable("TIMEOUT")));
  Result<std::unique_ptr<ProcessGroup>> group = ProcessGroup::from_environment(timeout);
  const std::string report = group.ok() ? run_role(role, **group) : group.status().message();
  std::ofstream(variable("REPORT")) << report;
}

TEST(ProcessGroupAlone, NeedsNoNetworkAndChangesNothing) {
  Result<std::unique_ptr<ProcessGroup>> group =
      ProcessGroup::join(Rendezvous{}, ProcessGroup::kDefaultTimeout);
  ASSERT_TRUE(group.ok());
  EXPECT_EQ((*group)->rank(), 0);
  EXPECT_EQ((*group)->world(), 1);
  std::vector<torch::Tensor> tensors = gradients(0);
  const std::string before = fingerprint(tensors);
  EXPECT_TRUE((*group)->average(tensors).ok());
  EXPECT_TRUE((*group)->sum(tensors).ok());
  EXPECT_TRUE((*group)->barrier().ok());
  EXPECT_TRUE((*group)->check_same("the options", "x").ok());
  EXPECT_EQ(fingerprint(tensors), before);
  EXPECT_EQ(*(*group)->sum(2.5), 2.5);

  tensors.emplace_back();
  EXPECT_THAT((*group)->average(tensors).message(), HasSubstr("tensor 10 is undefined"));
  tensors.back() = torch::ones({2}, torch::kInt64);
  EXPECT_EQ((*group)->average(tensors).message(),
            "average: tensor 10 is of type Long, not float32 or float64");
}

TEST_F(ProcessGroupTest, TwoRanksAverageToTheSameBits) {
  std::vector<torch::Tensor> expected = gradients(0);
  const std::vector<torch::Tensor> other = gradients(1);
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = (expected[i] + other[i]) / 2;
  const std::vector<Outcome> outcomes = run("average", 2);
  EXPECT_EQ(outcomes[0].report, fingerprint(expected));
  EXPECT_EQ(outcomes[1].report, fingerprint(expected));
}

TEST_F(ProcessGroupTest, FiveRanksAverageToTheSameBitsTwice) {
  // An odd number, so that neither the ring's pieces nor the tensors divide evenly.
  const std::vector<Outcome> first = run("average", 5);
  EXPECT_THAT(first[0].report, MatchesRegex("[0-9]+"));
  for (const Outcome& outcome : first) EXPECT_EQ(outcome.report, first[0].report);
  port_ = std::to_string(free_port());
  for (const Outcome& outcome : run("average", 5)) EXPECT_EQ(outcome.report, first[0].report);
}

TEST_F(ProcessGroupTest, SumsNumbersAndCounts) {
  const double expected = 0.1 * 1 + 0.1 * 2;
  std::ostringstream text;
  text.precision(17);
  text << expected << " " << (int64_t{2} << 60) << " 1";
  for (const Outcome& outcome : run("sum", 2)) EXPECT_EQ(outcome.report, text.str());
}

TEST_F(ProcessGroupTest, JoinsAsSlurmAndMpirunStartIt) {
  for (const char* rank : {"0", "1"}) {
    start("join", {{"SLURM_PROCID", rank},
                   {"SLURM_NTASKS", "2"},
                   {"SLURM_JOB_NODELIST", "here"},
                   {"MASTER_PORT", port_}});
  }
  for (const Outcome& outcome : finish()) EXPECT_EQ(outcome.report, "joined");
  port_ = std::to_string(free_port());
  for (const char* rank : {"1", "0"}) {
    start("join", {{"OMPI_COMM_WORLD_RANK", rank},
                   {"OMPI_COMM_WORLD_SIZE", "2"},
                   {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                   {"MASTER_PORT", port_}});
  }
  for (const Outcome& outcome : finish()) EXPECT_EQ(outcome.report, "joined");
}

TEST_F(ProcessGroupTest, JoinsOverANamedInterface) {
  for (int rank = 0; rank < 2; ++rank) {
    Variables variables = torchrun(rank, 2, "localhost");
    variables["GLOO_SOCKET_IFNAME"] = "lo";
    start("join", variables);
  }
  for (const Outcome& outcome : finish()) EXPECT_EQ(outcome.report, "joined");
  Variables variables = torchrun(0, 2);
  variables["GLOO_SOCKET_IFNAME"] = "nosuch0";
  start("join", variables, 2);
  EXPECT_THAT(finish()[0].report, HasSubstr("nosuch0"));
}

TEST_F(ProcessGroupTest, HalfAnEnvironmentIsAnError) {
  start("join", {{"RANK", "1"}});
  EXPECT_EQ(finish()[0].report, "RANK is set, but WORLD_SIZE is not");
}

TEST_F(ProcessGroupTest, MissingRanksAreNamed) {
  start("join", torchrun(0, 4), 2);
  start("join", torchrun(2, 4), 2);
  const std::vector<Outcome> outcomes = finish(std::chrono::seconds(30));
  EXPECT_EQ(outcomes[0].report, "ranks 1, 3 of 4 did not come to 127.0.0.1:" + port_ + " in time");
}

TEST_F(ProcessGroupTest, AMissingRankZeroIsAnError) {
  start("join", torchrun(1, 2), 2);
  const std::vector<Outcome> outcomes = finish(std::chrono::seconds(30));
  EXPECT_THAT(outcomes[0].report,
              HasSubstr("rank 1 of 2 cannot join rank 0 at 127.0.0.1:" + port_));
}

TEST_F(ProcessGroupTest, AHostWithoutAddressIsAnError) {
  start("join", torchrun(1, 2, "no-such-host.invalid"), 2);
  EXPECT_THAT(finish(std::chrono::seconds(60))[0].report,
              HasSubstr("rank 1 of 2 cannot join rank 0 at no-such-host.invalid:"));
}

TEST_F(ProcessGroupTest, AServerThatIsNoStoreIsAnError) {
  // Somebody else listens there, takes connections and says nothing.
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(port_)));
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 5), 0);
  start("join", torchrun(1, 2), 2);
  EXPECT_THAT(finish(std::chrono::seconds(30))[0].report, HasSubstr("cannot join rank 0"));
  start("join", torchrun(0, 2), 2);
  EXPECT_THAT(finish(std::chrono::seconds(30))[0].report, HasSubstr("cannot gather the others at"));
  ::close(fd);
}

TEST_F(ProcessGroupTest, TwoOfOneRankIsAnError) {
  start("join", torchrun(0, 3), 4);
  start("join", torchrun(1, 3), 4);
  start("join", torchrun(1, 3), 4);
  std::vector<Outcome> outcomes = finish(std::chrono::seconds(40));
  const bool second_came_first = outcomes[2].report.find("two processes") == std::string::npos;
  EXPECT_THAT(outcomes[second_came_first ? 1 : 2].report,
              HasSubstr("two processes say that they are rank 1 of 3"));
  EXPECT_THAT(outcomes[0].report, HasSubstr("rank 2 of 3 did not come"));
}

TEST_F(ProcessGroupTest, WorldsThatDifferAreAnError) {
  start("join", torchrun(0, 2), 5);
  start("join", torchrun(1, 3), 5);
  EXPECT_EQ(finish(std::chrono::seconds(40))[0].report,
            "rank 1 was started as one of 3 processes, rank 0 as one of 2");
}

TEST_F(ProcessGroupTest, OtherShapesOrCallsAreAnErrorEverywhereAndStay) {
  std::vector<Outcome> outcomes = run("shapes", 2);
  EXPECT_EQ(outcomes[0].report,
            "rank 0 of 2 calls average with 1 tensors of 5 numbers, but another rank makes another "
            "call or has other shapes (again)");
  EXPECT_THAT(outcomes[1].report, HasSubstr("rank 1 of 2 calls average with 1 tensors of 6"));
  port_ = std::to_string(free_port());
  outcomes = run("calls", 2);
  EXPECT_THAT(outcomes[0].report, HasSubstr("rank 0 of 2 calls average"));
  EXPECT_THAT(outcomes[1].report, HasSubstr("rank 1 of 2 calls barrier"));
}

TEST_F(ProcessGroupTest, OptionsThatDifferAreAnErrorEverywhere) {
  const std::vector<Outcome> outcomes = run("options", 2);
  EXPECT_EQ(outcomes[0].report, "the options of rank 0 of 2 are not those of every other rank");
  EXPECT_EQ(outcomes[1].report, "the options of rank 1 of 2 are not those of every other rank");
}

TEST_F(ProcessGroupTest, AKilledPeerIsAnErrorAtOnce) {
  const std::vector<Outcome> outcomes = run("killed", 3, 60);
  EXPECT_EQ(outcomes[1].signal, SIGKILL);
  for (const int rank : {0, 2}) {
    const std::string& report = outcomes[static_cast<size_t>(rank)].report;
    EXPECT_EQ(outcomes[static_cast<size_t>(rank)].signal, 0) << rank;
    // Noticed in step 3, within seconds and not by the timeout of 60.
    EXPECT_THAT(report, MatchesRegex("3 [0-9] rank [02] of 3: average failed, .*")) << rank;
  }
}

TEST_F(ProcessGroupTest, ASilentPeerIsAnErrorAfterTheTimeout) {
  const std::vector<Outcome> outcomes = run("silent", 2, 2);
  EXPECT_THAT(outcomes[0].report, HasSubstr("rank 0 of 2: barrier failed"));
  EXPECT_THAT(outcomes[1].report, HasSubstr("rank 1 of 2: barrier failed"));
}

TEST_F(ProcessGroupTest, APeerThatLeavesIsAnError) {
  const std::vector<Outcome> outcomes = run("leaves", 2);
  EXPECT_EQ(outcomes[1].report, "left");
  EXPECT_THAT(outcomes[0].report,
              HasSubstr("rank 0 of 2: barrier failed, since another rank died"));
}

TEST_F(ProcessGroupTest, ATimeoutBelowASecondIsAnError) {
  Rendezvous rendezvous;
  rendezvous.world = 2;
  EXPECT_THAT(ProcessGroup::join(rendezvous, std::chrono::milliseconds(999)).status().message(),
              HasSubstr("999 ms"));
}

}  // namespace
}  // namespace deeplab::train

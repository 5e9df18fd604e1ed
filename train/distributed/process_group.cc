#include "train/distributed/process_group.h"

#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <torch/torch.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

namespace deeplab::train {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Gradients travel in pieces of this many numbers: while one is on the wire the next is copied
/// together. A tensor is never split. The network at depth multiplier 0.5 fits into one piece.
constexpr int64_t kBucketNumbers = int64_t{1} << 20;

/// Gloo writes to sockets without MSG_NOSIGNAL: a peer that dies at the wrong moment would take
/// this process along with SIGPIPE. Its threads are started while this object blocks the signal,
/// and inherit that; the rest of the process keeps its own ways.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~WithoutSigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t before_;
};

/// What an exception of c10 or Gloo says, without backtrace and source position.
std::string first_line(std::string_view what) {
  what = what.substr(0, what.find('\n'));
  if (what.starts_with('[')) {
    const size_t end = what.find("] ");
    if (end != std::string_view::npos &&
        what.substr(0, end).find(".cc:") != std::string_view::npos) {
      what.remove_prefix(end + 2);
    }
  }
  while (what.ends_with('.')) what.remove_suffix(1);
  return std::string(what);
}

/// The local address from which `host` is reached, as digits; empty if the name has none. No
/// packet is sent: connecting a datagram socket only asks the routing table. Torch takes the
/// address of the machine's own name instead, which Debian's /etc/hosts sets to 127.0.1.1.
std::string local_address_towards(const std::string& host, int port) {
  for (const int family : {AF_INET, AF_INET6}) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) continue;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
    for (const addrinfo* it = found; it != nullptr; it = it->ai_next) {
      const int fd = ::socket(it->ai_family, it->ai_socktype | SOCK_CLOEXEC, it->ai_protocol);
      if (fd < 0) continue;
      sockaddr_storage local{};
      auto* address = reinterpret_cast<sockaddr*>(&local);
      socklen_t length = sizeof local;
      std::array<char, NI_MAXHOST> digits{};
      const bool known = ::connect(fd, it->ai_addr, it->ai_addrlen) == 0 &&
                         ::getsockname(fd, address, &length) == 0 &&
                         ::getnameinfo(address, length, digits.data(), digits.size(), nullptr, 0,
                                       NI_NUMERICHOST) == 0;
      ::close(fd);
      if (known) return digits.data();
    }
  }
  return {};
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

std::vector<uint8_t> to_bytes(std::string_view text) { return {text.begin(), text.end()}; }

// FNV-1a; a mistake is what has to be noticed, not an adversary.
constexpr uint64_t kHashStart = 0xcbf29ce484222325;
uint64_t mix(uint64_t hash, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    hash = (hash ^ ((number >> shift) & 0xff)) * 0x100000001b3;
  }
  return hash;
}

uint64_t mix(uint64_t hash, std::string_view text) {
  for (const char c : text) hash = mix(hash, static_cast<uint64_t>(static_cast<uint8_t>(c)));
  return mix(hash, static_cast<uint64_t>(text.size()));
}

/// The ranks that the store has not heard of yet, as "rank 3" or "ranks 1, 2, ...".
std::string missing_ranks(c10d::TCPStore& store, int world) {
  constexpr size_t kMost = 8;
  std::vector<int> missing;
  for (int rank = 0; rank < world && missing.size() <= kMost; ++rank) {
    if (!store.check({str_cat("address/", rank)})) missing.push_back(rank);
  }
  std::string list = missing.size() == 1 ? "rank" : "ranks";
  for (size_t i = 0; i < missing.size() && i < kMost; ++i) {
    list += str_cat(i == 0 ? " " : ", ", missing[i]);
  }
  return missing.size() > kMost ? list + ", ..." : list;
}

/// Waits until every rank has said where it is and how many there are, and compares.
Status meet(c10d::TCPStore& store, const Rendezvous& here, const std::string& address,
            Clock::time_point deadline) {
  const std::string own_key = str_cat("address/", here.rank);
  if (store.add(str_cat("rank/", here.rank), 1) != 1) {
    return invalid_argument("two processes say that they are rank ", here.rank, " of ", here.world,
                            " at ", here.host, ":", here.port,
                            ": another run has this port, or RANK is set wrong");
  }
  store.set(own_key, to_bytes(str_cat(here.world, " ", address)));

  std::vector<std::string> keys;
  for (int rank = 0; rank < here.world; ++rank) keys.push_back(str_cat("address/", rank));
  for (milliseconds pause(5); !store.check(keys); pause = std::min(pause * 2, milliseconds(100))) {
    if (Clock::now() > deadline) {
      return io_error(missing_ranks(store, here.world), " of ", here.world, " did not come to ",
                      here.host, ":", here.port, " in time");
    }
    std::this_thread::sleep_for(pause);
  }
  for (int rank = 0; rank < here.world; ++rank) {
    const std::vector<uint8_t> bytes = store.get(keys[static_cast<size_t>(rank)]);
    const std::string said(bytes.begin(), bytes.end());
    const size_t space = said.find(' ');
    if (said.substr(0, space) != std::to_string(here.world)) {
      return invalid_argument("rank ", rank, " was started as one of ", said.substr(0, space),
                              " processes, rank ", here.rank, " as one of ", here.world);
    }
    const std::string theirs = said.substr(space + 1);
    if (is_loopback(theirs) != is_loopback(address)) {
      return invalid_argument("rank ", rank, " reaches ", here.host, " from ", theirs, " and rank ",
                              here.rank, " from ", address,
                              ", so they cannot meet: set MASTER_ADDR to an address that other "
                              "machines reach, or GLOO_SOCKET_IFNAME to a network interface");
    }
  }
  return {};
}

}  // namespace

struct ProcessGroup::Connection {
  c10::intrusive_ptr<c10d::TCPStore> store;  // first: the group's threads end before it goes
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;

  c10::intrusive_ptr<c10d::Work> start_reduce(torch::Tensor tensor, c10d::ReduceOp operation) {
    c10d::AllreduceOptions options;
    options.reduceOp = operation;
    std::vector<torch::Tensor> one = {std::move(tensor)};
    return gloo->allreduce(one, options);
  }
};

ProcessGroup::ProcessGroup(int rank, int world) : rank_(rank), world_(world) {}
ProcessGroup::~ProcessGroup() = default;

template <typename Function>
Status ProcessGroup::guarded(std::string_view call, Function function) {
  if (!broken_.ok()) return broken_;
  std::string reason;
  try {
    broken_ = function();
    return broken_;
  } catch (const c10::Error& error) {
    reason = first_line(error.what_without_backtrace());
  } catch (const std::exception& error) {
    reason = first_line(error.what());
  }
  broken_ = io_error("rank ", rank_, " of ", world_, ": ", call,
                     " failed, since another rank died, ", "left or is silent: ", reason);
  return broken_;
}

Result<std::unique_ptr<ProcessGroup>> ProcessGroup::from_environment(milliseconds timeout) {
  DEEPLAB_ASSIGN_OR_RETURN(const Rendezvous rendezvous,
                           read_rendezvous([](const char* name) { return std::getenv(name); }));
  return join(rendezvous, timeout);
}

Result<std::unique_ptr<ProcessGroup>> ProcessGroup::join(const Rendezvous& rendezvous,
                                                         milliseconds timeout) {
  // Not make_unique: the constructor is private.
  std::unique_ptr<ProcessGroup> group(new ProcessGroup(rendezvous.rank, rendezvous.world));
  if (rendezvous.world == 1) return group;
  if (timeout < std::chrono::seconds(1)) {
    return invalid_argument("the timeout of ", rendezvous.world, " processes is ", timeout.count(),
                            " ms; it has to be at least a second");
  }
  try {
    DEEPLAB_RETURN_IF_ERROR(group->connect(rendezvous, timeout));
  } catch (const std::exception& error) {
    const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
    const std::string reason =
        first_line(torch_error != nullptr ? torch_error->what_without_backtrace() : error.what());
    return io_error("rank ", rendezvous.rank, " of ", rendezvous.world, " cannot ",
                    rendezvous.rank == 0 ? "gather the others at " : "join rank 0 at ",
                    rendezvous.host, ":", rendezvous.port, ": ", reason);
  }
  DEEPLAB_RETURN_IF_ERROR(group->barrier());
  return group;
}

Status ProcessGroup::connect(const Rendezvous& here, milliseconds timeout) {
  const WithoutSigpipe guard;
  const Clock::time_point deadline = Clock::now() + timeout;
  connection_ = std::make_unique<Connection>();

  c10d::TCPStoreOptions store_options;
  store_options.port = here.port;
  store_options.isServer = here.rank == 0;
  store_options.waitWorkers = false;  // meet() waits, and can say who is missing
  store_options.timeout = timeout;
  connection_->store = c10::make_intrusive<c10d::TCPStore>(here.host, store_options);
  c10d::TCPStore& store = *connection_->store;
  // The first wait gives the socket its receive timeout; without one, whoever else may listen on
  // that port could keep us forever.
  const std::string hello = str_cat("hello/", here.rank);
  store.set(hello, to_bytes("1"));
  store.wait({hello}, timeout);

  std::string address;
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  if (here.network_interface.empty()) {
    address = local_address_towards(here.host, here.port);
    if (address.empty()) return io_error("no network address of this machine leads to ", here.host);
    options->devices = {c10d::ProcessGroupGloo::createDeviceForHostname(address)};
  } else {
    address = "interface " + here.network_interface;
    options->devices = {c10d::ProcessGroupGloo::createDeviceForInterface(here.network_interface)};
  }
  options->threads = 1;  // collectives run one after the other anyway
  DEEPLAB_RETURN_IF_ERROR(meet(store, here, address, deadline));
  connection_->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(connection_->store, here.rank,
                                                                  here.world, std::move(options));
  return {};
}

Result<bool> ProcessGroup::all_have(uint64_t hash) {
  // Smallest and largest in one go: the largest is minus the smallest negative. Positive values
  // below 2^62 keep clear of overflow.
  const auto mine = static_cast<int64_t>(hash >> 2);
  const torch::Tensor range = torch::tensor({mine, -mine}, torch::kInt64);
  connection_->start_reduce(range, c10d::ReduceOp::MIN)->wait();
  return range[0].item<int64_t>() == mine && range[1].item<int64_t>() == -mine;
}

Status ProcessGroup::agree(const char* call, const std::vector<torch::Tensor>& tensors) {
  uint64_t hash = mix(kHashStart, std::string_view(call));
  int64_t numbers = 0;
  for (const torch::Tensor& tensor : tensors) {
    hash = mix(hash, static_cast<uint64_t>(tensor.scalar_type()));
    hash = mix(hash, static_cast<uint64_t>(tensor.dim()));
    for (const int64_t size : tensor.sizes()) hash = mix(hash, static_cast<uint64_t>(size));
    numbers += tensor.numel();
  }
  DEEPLAB_ASSIGN_OR_RETURN(const bool agreed, all_have(hash));
  if (agreed) return {};
  return invalid_argument("rank ", rank_, " of ", world_, " calls ", call, " with ", tensors.size(),
                          " tensors of ", numbers,
                          " numbers, but another rank makes another call or has other shapes");
}

Status ProcessGroup::reduce(const char* call, std::vector<torch::Tensor>& tensors, bool mean) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const torch::Tensor& tensor = tensors[i];
    if (!tensor.defined() || !tensor.device().is_cpu() || tensor.layout() != torch::kStrided) {
      return invalid_argument(call, ": tensor ", i, " is undefined, sparse or not on the CPU");
    }
    const auto type = tensor.scalar_type();
    const bool exact = !mean && (type == torch::kInt32 || type == torch::kInt64);
    if (type != torch::kFloat32 && type != torch::kFloat64 && !exact) {
      return invalid_argument(
          call, ": tensor ", i, " is of type ", c10::toString(type),
          mean ? ", not float32 or float64" : ", not float32, float64, int32 or int64");
    }
  }
  if (world_ == 1) return {};
  return guarded(call, [&]() -> Status {
    const torch::NoGradGuard no_grad;
    DEEPLAB_RETURN_IF_ERROR(agree(call, tensors));
    struct Bucket {
      std::vector<size_t> members;
      torch::Tensor flat;
      c10::intrusive_ptr<c10d::Work> work;
    };
    std::vector<Bucket> buckets;
    for (size_t i = 0; i < tensors.size();) {
      Bucket bucket;
      std::vector<torch::Tensor> pieces;
      int64_t numbers = 0;
      // Neighbours of one type; the order is the caller's, so it is the same on all ranks.
      for (; i < tensors.size(); ++i) {
        if (!pieces.empty() && (tensors[i].scalar_type() != pieces[0].scalar_type() ||
                                numbers + tensors[i].numel() > kBucketNumbers)) {
          break;
        }
        bucket.members.push_back(i);
        pieces.push_back(tensors[i].detach().reshape(-1));
        numbers += tensors[i].numel();
      }
      if (numbers == 0) continue;
      bucket.flat = torch::cat(pieces);
      bucket.work = connection_->start_reduce(bucket.flat, c10d::ReduceOp::SUM);
      buckets.push_back(std::move(bucket));
    }
    for (Bucket& bucket : buckets) {
      bucket.work->wait();
      if (mean) bucket.flat.div_(world_);
      int64_t offset = 0;
      for (const size_t i : bucket.members) {
        const int64_t numbers = tensors[i].numel();
        tensors[i].copy_(bucket.flat.narrow(0, offset, numbers).view(tensors[i].sizes()));
        offset += numbers;
      }
    }
    return {};
  });
}

Status ProcessGroup::average(std::vector<torch::Tensor>& tensors) {
  return reduce("average", tensors, true);
}

Status ProcessGroup::sum(std::vector<torch::Tensor>& tensors) {
  return reduce("sum", tensors, false);
}

Result<double> ProcessGroup::sum(double number) {
  std::vector<torch::Tensor> one = {torch::full({1}, number, torch::kFloat64)};
  DEEPLAB_RETURN_IF_ERROR(sum(one));
  return one[0].item<double>();
}

Status ProcessGroup::barrier() {
  if (world_ == 1) return {};
  return guarded("barrier", [&] { return agree("barrier", {}); });
}

Status ProcessGroup::check_same(std::string_view what, std::string_view text) {
  if (world_ == 1) return {};
  return guarded("check_same", [&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(agree("check_same", {}));
    DEEPLAB_ASSIGN_OR_RETURN(const bool same, all_have(mix(kHashStart, text)));
    if (same) return {};
    return invalid_argument(what, " of rank ", rank_, " of ", world_,
                            " are not those of every other rank");
  });
}

}  // namespace deeplab::train

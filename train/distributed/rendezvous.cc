#include "train/distributed/rendezvous.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace deeplab::train {
namespace {

constexpr uint16_t kDefaultPort = 29500;  // torch's own default
constexpr const char* kLoopback = "127.0.0.1";

/// What a launcher calls its numbers.
struct Launcher {
  const char* rank;
  const char* world;
  const char* local_world;  ///< How many of the processes are on this machine.
};

constexpr std::array<Launcher, 3> kLaunchers = {{
    {"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"},
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"},
}};

class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {}

  /// Empty when not set.
  std::string_view text(const char* name) const {
    const char* value = environment_(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
  }
  bool has(const char* name) const { return !text(name).empty(); }

  Result<int> number(const char* name, int low, int high) const {
    const std::string_view value = text(name);
    int number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < low ||
        number > high) {
      return invalid_argument(name, " is \"", value, "\", not a number from ", low, " to ", high);
    }
    return number;
  }

 private:
  const Environment& environment_;
};

/// Rank and world under their names; the world is checked first, since it bounds the rank.
Result<Rendezvous> read_place(const Reader& reader, const char* rank, const char* world) {
  if (!reader.has(rank)) return invalid_argument(world, " is set, but ", rank, " is not");
  if (!reader.has(world)) return invalid_argument(rank, " is set, but ", world, " is not");
  Rendezvous place;
  DEEPLAB_ASSIGN_OR_RETURN(place.world, reader.number(world, 1, std::numeric_limits<int>::max()));
  DEEPLAB_ASSIGN_OR_RETURN(place.rank, reader.number(rank, 0, std::numeric_limits<int>::max()));
  if (place.rank >= place.world) {
    return invalid_argument(rank, " is ", place.rank, ", but ", world, " is ", place.world,
                            ": ranks count from 0");
  }
  return place;
}

/// Slurm's place, or nothing if srun did not start this process.
Result<std::optional<Rendezvous>> read_slurm(const Reader& reader) {
  if (!reader.has("SLURM_PROCID")) return std::optional<Rendezvous>();
  // A step may have fewer tasks than its job.
  const char* world = reader.has("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
  DEEPLAB_ASSIGN_OR_RETURN(const Rendezvous place, read_place(reader, "SLURM_PROCID", world));
  return std::optional<Rendezvous>(place);
}

/// The first host of a list as Slurm writes it: "gpu[003-007,12],login1" gives "gpu003". Brackets
/// hold ranges; a comma outside of them ends the first name.
std::string first_host(std::string_view list) {
  std::string host;
  for (size_t i = 0; i < list.size() && list[i] != ','; ++i) {
    if (list[i] != '[') {
      host.push_back(list[i]);
      continue;
    }
    for (++i; i < list.size() && list[i] != ',' && list[i] != '-' && list[i] != ']'; ++i) {
      host.push_back(list[i]);
    }
    while (i < list.size() && list[i] != ']') ++i;
  }
  return host;
}

bool names_one_host(std::string_view list) {
  return list.find_first_of(",[") == std::string_view::npos;
}

Result<std::string> find_host(const Reader& reader, int world, const char* local_world,
                              bool is_slurm) {
  if (reader.has("MASTER_ADDR")) return std::string(reader.text("MASTER_ADDR"));
  if (local_world != nullptr && reader.has(local_world)) {
    DEEPLAB_ASSIGN_OR_RETURN(const int here, reader.number(local_world, 1, world));
    if (here == world) return std::string(kLoopback);
  }
  std::vector<const char*> node_lists = {"SLURM_JOB_NODELIST"};
  // mpirun's daemons are a Slurm step of their own, without the node that mpirun runs on: their
  // processes go by the job's list alone, which all of them agree on.
  if (is_slurm) node_lists.insert(node_lists.begin(), "SLURM_STEP_NODELIST");
  for (const char* name : node_lists) {
    if (!reader.has(name)) continue;
    const std::string_view list = reader.text(name);
    if (is_slurm && names_one_host(list)) return std::string(kLoopback);
    std::string host = first_host(list);
    if (host.empty()) return invalid_argument(name, " is \"", list, "\", which names no host");
    return host;
  }
  if (is_slurm && reader.has("SLURM_LAUNCH_NODE_IPADDR")) {
    return std::string(reader.text("SLURM_LAUNCH_NODE_IPADDR"));
  }
  return invalid_argument("MASTER_ADDR is not set: ", world,
                          " processes need the address of the machine that runs rank 0");
}

}  // namespace

Result<Rendezvous> read_rendezvous(const Environment& environment) {
  const Reader reader(environment);
  std::optional<Rendezvous> place;
  const char* local_world = nullptr;
  for (const Launcher& launcher : kLaunchers) {
    if (!reader.has(launcher.rank) && !reader.has(launcher.world)) continue;
    DEEPLAB_ASSIGN_OR_RETURN(place, read_place(reader, launcher.rank, launcher.world));
    local_world = launcher.local_world;
    break;
  }
  bool is_slurm = false;
  if (!place || local_world == kLaunchers[2].local_world) {
    // srun speaks MPICH's protocol too, and sets both sets alike.
    DEEPLAB_ASSIGN_OR_RETURN(const std::optional<Rendezvous> slurm, read_slurm(reader));
    is_slurm = slurm && (!place || (slurm->rank == place->rank && slurm->world == place->world));
    if (is_slurm) place = slurm;
  }
  if (!place) {
    for (const char* name : {"MASTER_ADDR", "MASTER_PORT"}) {
      if (reader.has(name))
        return invalid_argument(name, " is set, but RANK and WORLD_SIZE are not");
    }
    return Rendezvous{};
  }
  if (place->world == 1) return *place;

  DEEPLAB_ASSIGN_OR_RETURN(place->host, find_host(reader, place->world, local_world, is_slurm));
  place->port = kDefaultPort;
  if (reader.has("MASTER_PORT")) {
    DEEPLAB_ASSIGN_OR_RETURN(const int port, reader.number("MASTER_PORT", 1, 65535));
    place->port = static_cast<uint16_t>(port);
  }
  // torch takes a list here, one device a name; one is enough for gradients of this size.
  const std::string_view interfaces = reader.text("GLOO_SOCKET_IFNAME");
  place->network_interface = interfaces.substr(0, interfaces.find(','));
  return *place;
}

}  // namespace deeplab::train

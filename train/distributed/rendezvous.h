// Where the processes of one training run meet: what torchrun, Slurm or mpirun put into the
// environment, read into five plain values. No networking here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"

namespace deeplab::train {

/// One process's place in a run. With a world of 1 the other members mean nothing.
struct Rendezvous {
  int rank = 0;       ///< 0 to world - 1.
  int world = 1;      ///< How many processes the run has.
  std::string host;   ///< Where rank 0 listens: a name or an address.
  uint16_t port = 0;  ///< The TCP port there.
  std::string
      network_interface;  ///< The one to use for tensors; empty: the one that leads to host.
};

/// The value of a variable, or nullptr: std::getenv, or a map in a test. An empty value counts as
/// not set.
using Environment = std::function<const char*(const char* name)>;

/// Reads the first complete set of
///
///   torchrun        RANK, WORLD_SIZE, LOCAL_WORLD_SIZE
///   Open MPI        OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_SIZE
///   MPICH (Hydra)   PMI_RANK, PMI_SIZE, MPI_LOCALNRANKS
///   Slurm (srun)    SLURM_PROCID, SLURM_STEP_NUM_TASKS or SLURM_NTASKS
///
/// in this order, because each of them may be started inside of those below it and then leaves
/// their variables in place. Nothing set: alone, rank 0 of 1. SLURM_NTASKS without SLURM_PROCID is
/// a shell inside an allocation, not a task: alone too.
///
/// Rank 0 is found at MASTER_ADDR, or, without it, on this machine when all processes are here, or
/// on the first node of SLURM_STEP_NODELIST or SLURM_JOB_NODELIST, or at SLURM_LAUNCH_NODE_IPADDR.
/// (That one comes last: it is where srun was called, which may be a login node.) The port is
/// MASTER_PORT, or 29500. GLOO_SOCKET_IFNAME names the network interface, as for torch.
///
/// Errors (kInvalidArgument) name the variable: half of a set, no number, out of range, MASTER_ADDR
/// or MASTER_PORT without a rank, no way to find rank 0.
Result<Rendezvous> read_rendezvous(const Environment& environment);

}  // namespace deeplab::train

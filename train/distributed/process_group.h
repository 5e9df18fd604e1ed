// Data parallel training: several processes, on one machine or many, each with its own share of
// every batch. After the backward pass they average their gradients, so that all take the same
// step.
//
// torch's own c10d with Gloo over TCP: a TCPStore on rank 0, where the processes find each other,
// then a mesh of connections. Reached through train/rendezvous.h, so torchrun, Slurm and mpirun
// work as they do for torch in Python.
#pragma once

#include <torch/types.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "train/distributed/rendezvous.h"

namespace deeplab::train {

/// The processes of one run. Every call below is made by all of them, in the same order and with
/// tensors of the same count, shapes and types; each call checks that first (16 bytes per rank), so
/// a rank that went astray gives an error everywhere instead of wrong gradients.
///
/// A peer that dies, leaves or stays silent for longer than the timeout gives kIoError; calls never
/// hang. After an error the group cannot be used any more: each later call repeats the error. A
/// process that stops should simply end: that closes its connections, and the others see it.
///
/// Calls come from one thread at a time. In a world of 1 nothing is opened and nothing can fail.
class ProcessGroup {
 public:
  static constexpr std::chrono::milliseconds kDefaultTimeout = std::chrono::minutes(10);

  /// Joins the run that the environment describes (read_rendezvous); waits until all processes are
  /// there. `timeout`, at least one second, bounds this and later every wait for a peer, so it has
  /// to be longer than what one rank may do alone (validation, a checkpoint). Errors:
  /// kInvalidArgument for the environment and for ranks that contradict each other, kIoError for
  /// the network; a missing rank is named.
  static Result<std::unique_ptr<ProcessGroup>> from_environment(
      std::chrono::milliseconds timeout = kDefaultTimeout);
  static Result<std::unique_ptr<ProcessGroup>> join(const Rendezvous& rendezvous,
                                                    std::chrono::milliseconds timeout);

  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const { return rank_; }
  int world() const { return world_; }

  /// Replaces each tensor (float32 or float64) by its mean over the ranks. All ranks get the same
  /// bits, and the same inputs give the same bits again: Gloo's ring adds each element in one fixed
  /// order, once, and hands the sum out; the division is correctly rounded everywhere.
  Status average(std::vector<torch::Tensor>& tensors);

  /// The same with the sum, for int32 and int64 as well: counts, confusion matrices.
  Status sum(std::vector<torch::Tensor>& tensors);
  Result<double> sum(double number);

  /// Returns when all ranks have called it.
  Status barrier();

  /// An error on all ranks unless `text` is the same on all: for options that have to agree, which
  /// `what` names in the error ("the options").
  Status check_same(std::string_view what, std::string_view text);

 private:
  struct Connection;  // c10d's types, kept out of this header

  ProcessGroup(int rank, int world);
  Status connect(const Rendezvous& rendezvous, std::chrono::milliseconds timeout);
  Status reduce(const char* call, std::vector<torch::Tensor>& tensors, bool mean);
  Result<bool> all_have(uint64_t hash);
  Status agree(const char* call, const std::vector<torch::Tensor>& tensors);
  template <typename Function>
  Status guarded(std::string_view call, Function function);

  int rank_;
  int world_;
  Status broken_;  ///< The first error of a call.
  std::unique_ptr<Connection> connection_;
};

}  // namespace deeplab::train

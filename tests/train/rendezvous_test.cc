#include "train/distributed/rendezvous.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace deeplab::train {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

Result<Rendezvous> read(const Variables& variables) {
  return read_rendezvous([&](const char* name) -> const char* {
    const auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}

void expect_place(const Variables& variables, int rank, int world, const std::string& host,
                  int port) {
  const Result<Rendezvous> place = read(variables);
  ASSERT_TRUE(place.ok()) << place.status().message();
  EXPECT_EQ(place->rank, rank);
  EXPECT_EQ(place->world, world);
  EXPECT_EQ(place->host, host);
  EXPECT_EQ(place->port, port);
}

void expect_error(const Variables& variables, const std::string& sentence) {
  const Result<Rendezvous> place = read(variables);
  ASSERT_FALSE(place.ok()) << sentence;
  EXPECT_EQ(place.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(place.status().message(), sentence);
}

TEST(Rendezvous, NothingSetMeansAlone) {
  expect_place({}, 0, 1, "", 0);
  expect_place({{"RANK", ""}, {"WORLD_SIZE", ""}, {"MASTER_ADDR", ""}}, 0, 1, "", 0);
  expect_place({{"RANK", "0"}, {"WORLD_SIZE", "1"}}, 0, 1, "", 0);
}

TEST(Rendezvous, Torchrun) {
  const Variables torchrun = {{"RANK", "3"},
                              {"WORLD_SIZE", "8"},
                              {"LOCAL_WORLD_SIZE", "4"},
                              {"MASTER_ADDR", "node7"},
                              {"MASTER_PORT", "1234"}};
  expect_place(torchrun, 3, 8, "node7", 1234);
  expect_place({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"LOCAL_WORLD_SIZE", "2"}}, 1, 2, "127.0.0.1",
               29500);
  // torchrun inside srun and inside mpirun: one task a node there, its own numbers count.
  Variables inside = torchrun;
  inside.insert({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2"}, {"PMI_RANK", "0"}});
  expect_place(inside, 3, 8, "node7", 1234);
}

TEST(Rendezvous, TheNetworkInterfaceIsTorchsVariable) {
  const Result<Rendezvous> place = read({{"RANK", "0"},
                                         {"WORLD_SIZE", "2"},
                                         {"MASTER_ADDR", "a"},
                                         {"GLOO_SOCKET_IFNAME", "eth1,eth2"}});
  ASSERT_TRUE(place.ok());
  EXPECT_EQ(place->network_interface, "eth1");
}

TEST(Rendezvous, HalfASetOrABadNumberNamesTheVariable) {
  expect_error({{"RANK", "0"}}, "RANK is set, but WORLD_SIZE is not");
  expect_error({{"WORLD_SIZE", "2"}}, "WORLD_SIZE is set, but RANK is not");
  expect_error({{"OMPI_COMM_WORLD_SIZE", "2"}},
               "OMPI_COMM_WORLD_SIZE is set, but OMPI_COMM_WORLD_RANK is not");
  expect_error({{"PMI_RANK", "2"}}, "PMI_RANK is set, but PMI_SIZE is not");
  expect_error({{"SLURM_PROCID", "2"}}, "SLURM_PROCID is set, but SLURM_NTASKS is not");
  expect_error({{"MASTER_ADDR", "a"}}, "MASTER_ADDR is set, but RANK and WORLD_SIZE are not");
  expect_error({{"MASTER_PORT", "1"}}, "MASTER_PORT is set, but RANK and WORLD_SIZE are not");
  expect_error({{"RANK", "2"}, {"WORLD_SIZE", "2"}},
               "RANK is 2, but WORLD_SIZE is 2: ranks count from 0");
  for (const char* bad : {"-1", "x", "1x", " 1", "99999999999"}) {
    expect_error({{"RANK", bad}, {"WORLD_SIZE", "2"}},
                 std::string("RANK is \"") + bad + "\", not a number from 0 to 2147483647");
  }
  expect_error({{"RANK", "0"}, {"WORLD_SIZE", "0"}},
               "WORLD_SIZE is \"0\", not a number from 1 to 2147483647");
  for (const char* bad : {"0", "65536", "http"}) {
    expect_error({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", bad}},
                 std::string("MASTER_PORT is \"") + bad + "\", not a number from 1 to 65535");
  }
  expect_error({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_WORLD_SIZE", "3"}},
               "LOCAL_WORLD_SIZE is \"3\", not a number from 1 to 2");
  expect_error({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_WORLD_SIZE", "1"}},
               "MASTER_ADDR is not set: 2 processes need the address of the machine that runs "
               "rank 0");
}

TEST(Rendezvous, SlurmFindsRankZeroOnTheFirstNode) {
  const auto with_nodes = [](const std::string& nodes) {
    return Variables{{"SLURM_PROCID", "5"}, {"SLURM_NTASKS", "6"}, {"SLURM_JOB_NODELIST", nodes}};
  };
  expect_place(with_nodes("node1,node2"), 5, 6, "node1", 29500);
  expect_place(with_nodes("gpu[003-007,12],login1"), 5, 6, "gpu003", 29500);
  expect_place(with_nodes("gpu[3,5]"), 5, 6, "gpu3", 29500);
  expect_place(with_nodes("rack[1-2]-n[08-09].lab,x"), 5, 6, "rack1-n08.lab", 29500);
  expect_place(with_nodes("single"), 5, 6, "127.0.0.1", 29500);
  expect_error(with_nodes(",a"), "SLURM_JOB_NODELIST is \",a\", which names no host");

  Variables more = with_nodes("a,b");
  more["SLURM_LAUNCH_NODE_IPADDR"] = "10.0.0.9";  // a login node, perhaps
  expect_place(more, 5, 6, "a", 29500);
  more["SLURM_STEP_NODELIST"] = "b,c";  // the step leaves out the job's first node
  more["SLURM_STEP_NUM_TASKS"] = "8";
  expect_place(more, 5, 8, "b", 29500);
  more["MASTER_ADDR"] = "10.1.2.3";
  more["MASTER_PORT"] = "4000";
  expect_place(more, 5, 8, "10.1.2.3", 4000);
  expect_place(
      {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_LAUNCH_NODE_IPADDR", "10.0.0.9"}}, 1,
      2, "10.0.0.9", 29500);
}

TEST(Rendezvous, AShellInsideAnAllocationIsAlone) {
  expect_place({{"SLURM_NTASKS", "4"}, {"SLURM_JOB_NODELIST", "a,b"}}, 0, 1, "", 0);
}

TEST(Rendezvous, OpenMpi) {
  Variables mpi = {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}};
  EXPECT_THAT(read(mpi).status().message(), HasSubstr("MASTER_ADDR"));
  mpi["OMPI_COMM_WORLD_LOCAL_SIZE"] = "4";
  expect_place(mpi, 1, 4, "127.0.0.1", 29500);
  mpi["OMPI_COMM_WORLD_LOCAL_SIZE"] = "2";
  mpi["MASTER_ADDR"] = "a";
  expect_place(mpi, 1, 4, "a", 29500);
  // In an allocation: Slurm's numbers are those of mpirun's daemons, and so is the step's list.
  mpi.erase("MASTER_ADDR");
  mpi.insert({{"SLURM_PROCID", "0"},
              {"SLURM_NTASKS", "1"},
              {"SLURM_STEP_NODELIST", "n2"},
              {"SLURM_JOB_NODELIST", "n[1-2]"}});
  expect_place(mpi, 1, 4, "n1", 29500);
}

TEST(Rendezvous, MpichAndSrunWithItsProtocol) {
  expect_place({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALNRANKS", "2"}}, 1, 2, "127.0.0.1",
               29500);
  Variables srun = {{"PMI_RANK", "1"},
                    {"PMI_SIZE", "2"},
                    {"SLURM_PROCID", "1"},
                    {"SLURM_NTASKS", "2"},
                    {"SLURM_STEP_NODELIST", "n[4-5]"},
                    {"SLURM_JOB_NODELIST", "n[1-5]"}};
  expect_place(srun, 1, 2, "n4", 29500);
  // Hydra's own daemons as tasks of a step: the job's list.
  srun["PMI_SIZE"] = "8";
  expect_place(srun, 1, 8, "n1", 29500);
}

}  // namespace
}  // namespace deeplab::train

#include <benchmark/benchmark.h>

#include "bench/tables.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  deeplab::bench::add_convolutions();
  deeplab::bench::add_inverted_residuals();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

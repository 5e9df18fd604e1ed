// A benchmark for every entry of the kernel tables that this machine runs, on every shape of the
// network, one thread. An entry whose output is not the reference's, byte for byte, is not timed.
#pragma once

namespace deeplab::bench {

void add_convolutions();
void add_inverted_residuals();

}  // namespace deeplab::bench

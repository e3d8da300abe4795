#pragma once

#include <string>

#include "tests/bench/service/options.h"

namespace bitwright::server {

// Each measures one thing on a server of its own, prints one row, and ends the program when a call fails. The targets
// are stated in the README of tests/bench.

// The file system: how often a second 4 KiB can be appended and made durable.
void MeasureStorage(const BenchOptions& options);
// A queue of waiting jobs: creating it, holding it, starting with it, and passing it.
void MeasureSubmit(const BenchOptions& options);
// Many workers that lease and finish tasks.
void MeasureLeases(const BenchOptions& options);
// Many streams that follow jobs.
void MeasureWatchers(const BenchOptions& options);
// Many workers that do nothing but live.
void MeasureHeartbeats(const BenchOptions& options);
// The web page in front of a queue of waiting jobs, beside the call that it makes and a file that costs nothing.
void MeasurePages(const BenchOptions& options);
// Large blobs.
void MeasureUploads(const BenchOptions& options);

}  // namespace bitwright::server

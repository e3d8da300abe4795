#pragma once

#include <array>
#include <cstdint>

#include "workers/kernels/lattice.h"
#include "workers/kernels/octet_form.h"

namespace bitwright::worker {

// Eight neighbouring columns of a row on a lattice. Numbers are counted in scales: times the scale they are values.
struct Octet {
  std::array<uint16_t, 2> points{};  // of eight columns each: the first alone
  uint8_t signs = 0;
  std::array<double, 8> numbers{};
};

// Signs are those of x. Where their minuses must be even and are odd, the sign of the column of least h|x| is the other
// one. The points: least Σ h (x − number)². x and h [8].
Octet NearestOctet(const Lattice& lattice, const double* x, const double* h);

// A choice of small (x − numbers)ᵀ S (x − numbers), x [8]: signs as above with h the diagonal of S, and then
// kOctetRounds times
//  - the best points for these signs: one of eight columns; of four columns the first and then the second, the very
//    first time with S relaxed, so that the second still makes up for it;
//  - kOctetFlips times the change of one sign, or of two where minuses must be even, that lowers it most, if any does.
Octet ChooseOctet(const Lattice& lattice, const OctetForm& form, const double* x);

}  // namespace bitwright::worker

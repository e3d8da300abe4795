#pragma once

// What every implementation of rounding on lattices tries.
namespace bitwright::worker {

// Start. Of the scale at which a group's largest weight meets the largest number of the points: from clipping most to
// reaching further, kLatticeFactors of them evenly spread; then fits by least squares.
inline constexpr double kLeastLatticeFactor = 0.4, kMostLatticeFactor = 1.2;
inline constexpr int kLatticeFactors = 9;
inline constexpr int kLatticeFits = 2;

// How often an octet's points are chosen, and how many changes of signs are tried after each time.
inline constexpr int kOctetRounds = 2;
inline constexpr int kOctetFlips = 2;

}  // namespace bitwright::worker

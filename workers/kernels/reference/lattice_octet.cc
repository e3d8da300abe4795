#include "workers/kernels/reference/lattice_octet.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "workers/kernels/lattice_search.h"

namespace bitwright::worker {
namespace {

double SignOf(uint8_t signs, int64_t i) { return (signs >> i & 1) != 0 ? -1 : 1; }

uint8_t SignsFor(const Lattice& lattice, const double* x, const std::array<double, 8>& h) {
  uint8_t signs = 0;
  int least = 0;
  for (int i = 0; i < 8; ++i) {
    if (x[i] < 0) signs = static_cast<uint8_t>(signs | 1 << i);
    if (h[i] * std::abs(x[i]) < h[least] * std::abs(x[least])) least = i;
  }
  if (lattice.even_signs && std::popcount(signs) % 2 != 0) signs = static_cast<uint8_t>(signs ^ 1 << least);
  return signs;
}

void SetNumbers(const Lattice& lattice, int64_t part, int64_t point, Octet& octet) {
  octet.points[static_cast<size_t>(part)] = static_cast<uint16_t>(point);
  for (int64_t i = 0; i < lattice.size; ++i) {
    const int64_t at = part * lattice.size + i;
    octet.numbers[static_cast<size_t>(at)] = SignOf(octet.signs, at) * lattice.Point(point)[i];
  }
}

// Point `part` of an octet: least vᵀ A v − 2 bᵀ v, v its numbers; A [size, size], rows `stride` apart.
void SearchPoint(const Lattice& lattice, int64_t part, const double* a, int64_t stride, const double* b, Octet& octet) {
  int64_t best = 0;
  double least = 1e300;
  for (int64_t p = 0; p < lattice.count(); ++p) {
    SetNumbers(lattice, part, p, octet);
    const double* v = octet.numbers.data() + part * lattice.size;
    double cost = 0;
    for (int64_t i = 0; i < lattice.size; ++i) {
      double sum = -2 * b[i];
      for (int64_t j = 0; j < lattice.size; ++j) sum += a[i * stride + j] * v[j];
      cost += v[i] * sum;
    }
    if (cost >= least) continue;
    least = cost;
    best = p;
  }
  SetNumbers(lattice, part, best, octet);
}

// One of an octet's two points of four columns, the other one standing.
void SearchHalf(const Lattice& lattice, int64_t part, const OctetForm& form, const double* x, Octet& octet) {
  double b[4];
  for (int64_t i = 0; i < 4; ++i) {
    const double* row = form.s + (4 * part + i) * 8;
    b[i] = 0;
    for (int64_t j = 0; j < 8; ++j) {
      const bool own = j / 4 == part;
      b[i] += row[j] * (own ? x[j] : x[j] - octet.numbers[static_cast<size_t>(j)]);
    }
  }
  SearchPoint(lattice, part, form.s + 36 * part, 8, b, octet);
}

void SearchPoints(const Lattice& lattice, const OctetForm& form, const double* x, bool first, Octet& octet) {
  double b[8] = {};
  if (lattice.size == 8) {
    for (int i = 0; i < 64; ++i) b[i / 8] += form.s[i] * x[i % 8];
    return SearchPoint(lattice, 0, form.s, 8, b, octet);
  }
  if (first) {
    for (int i = 0; i < 16; ++i) b[i / 4] += form.relaxed[i] * x[i % 4];
    SearchPoint(lattice, 0, form.relaxed, 4, b, octet);
  } else {
    SearchHalf(lattice, 0, form, x, octet);
  }
  SearchHalf(lattice, 1, form, x, octet);
}

// A sign that changes moves its number by −2 numbers.
void Flip(const Lattice& lattice, const OctetForm& form, const double* x, Octet& octet) {
  double own[8];
  for (int i = 0; i < 8; ++i) {
    const double number = octet.numbers[static_cast<size_t>(i)];
    double pull = 0;
    for (int j = 0; j < 8; ++j) pull += form.s[8 * i + j] * (x[j] - octet.numbers[static_cast<size_t>(j)]);
    own[i] = 4 * number * (pull + number * form.s[9 * i]);
  }
  double least = 0;
  uint8_t mask = 0;
  const auto consider = [&](double change, int flips) {
    if (change >= least) return;
    least = change;
    mask = static_cast<uint8_t>(flips);
  };
  for (int i = 0; i < 8; ++i) {
    if (!lattice.even_signs) consider(own[i], 1 << i);
    for (int j = i + 1; lattice.even_signs && j < 8; ++j) {
      const double together = octet.numbers[static_cast<size_t>(i)] * octet.numbers[static_cast<size_t>(j)];
      consider(own[i] + own[j] + 8 * together * form.s[8 * i + j], 1 << i | 1 << j);
    }
  }
  octet.signs = octet.signs ^ mask;
  for (int i = 0; i < 8; ++i) {
    if ((mask >> i & 1) != 0) octet.numbers[static_cast<size_t>(i)] *= -1;
  }
}

}  // namespace

Octet NearestOctet(const Lattice& lattice, const double* x, const double* h) {
  Octet octet;
  std::array<double, 8> weights;
  std::copy_n(h, 8, weights.begin());
  octet.signs = SignsFor(lattice, x, weights);
  for (int64_t part = 0; part < 8 / lattice.size; ++part) {
    int64_t best = 0;
    double least = 1e300;
    for (int64_t p = 0; p < lattice.count(); ++p) {
      double cost = 0;
      for (int64_t i = 0; i < lattice.size && cost < least; ++i) {
        const int64_t at = part * lattice.size + i;
        const double miss = x[at] - SignOf(octet.signs, at) * lattice.Point(p)[i];
        cost += h[at] * miss * miss;
      }
      if (cost >= least) continue;
      least = cost;
      best = p;
    }
    SetNumbers(lattice, part, best, octet);
  }
  return octet;
}

Octet ChooseOctet(const Lattice& lattice, const OctetForm& form, const double* x) {
  std::array<double, 8> diagonal;
  for (size_t i = 0; i < 8; ++i) diagonal[i] = form.s[9 * i];
  Octet octet;
  octet.signs = SignsFor(lattice, x, diagonal);
  for (int round = 0; round < kOctetRounds; ++round) {
    SearchPoints(lattice, form, x, round == 0, octet);
    for (int k = 0; k < kOctetFlips; ++k) Flip(lattice, form, x, octet);
  }
  return octet;
}

}  // namespace bitwright::worker

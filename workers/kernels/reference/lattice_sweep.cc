#include <algorithm>

#include "workers/kernels/reference/lattice_state.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

OctetForm FormOf(const RoundingError& error, int64_t begin) {
  double s[64];
  for (int64_t i = 0; i < 64; ++i) s[i] = error.H(begin + i / 8)[begin + i % 8];
  return OctetForm(s);
}

}  // namespace

LatticeState::LatticeState(const GridProblem& problem, const Lattice& lattice, LatticeCodes& codes)
    : problem_(problem),
      lattice_(lattice),
      codes_(codes),
      error_(problem, ValuesOf(codes, lattice, problem.rows, problem.columns)) {}

LatticeState::Trial LatticeState::ChooseOctets(int64_t row, int64_t group, const std::vector<OctetForm>& forms,
                                               float scale, bool held) const {
  const int64_t begin = group * lattice_.group, width = lattice_.group;
  const double g = error_.G(row, row);
  std::vector<double> r;  // of the group, as octets change
  for (int64_t j = 0; j < width; ++j) r.push_back(error_.R(row, begin + j));
  Trial trial;
  for (int64_t at = 0; at < width; at += 8) {
    const OctetForm& form = forms[static_cast<size_t>(at / 8)];
    double x[8], delta[8], gain = 0;
    for (int64_t i = 0; i < 8; ++i) {
      x[i] = error_.Value(row, begin + at + i);
      for (int64_t j = 0; j < 8; ++j) x[i] += form.inverse[8 * i + j] * r[static_cast<size_t>(at + j)] / g;
      x[i] = scale == 0 ? 0 : x[i] / scale;
    }
    const Octet octet = ChooseOctet(lattice_, form, x);
    for (size_t i = 0; i < 8; ++i) {
      delta[i] = scale * octet.numbers[i] - error_.Value(row, begin + at + static_cast<int64_t>(i));
    }
    for (int64_t i = 0; i < 8; ++i) {
      double sum = 2 * r[static_cast<size_t>(at + i)];
      for (int64_t j = 0; j < 8; ++j) sum -= g * form.s[8 * i + j] * delta[j];
      gain += delta[i] * sum;
    }
    const bool stays = held && !(gain > 0);  // two choices of equal J would change places for ever
    for (int64_t i = 0; i < 8; ++i) {
      if (stays) delta[i] = 0;
      trial.values.push_back(error_.Value(row, begin + at + i) + delta[i]);
      for (int64_t l = at + 8; l < width; ++l) {
        r[static_cast<size_t>(l)] -= delta[i] * g * error_.H(begin + at + i)[begin + l];
      }
    }
    trial.gain += stays ? 0 : gain;
    trial.octets.push_back(stays ? std::nullopt : std::optional(octet));
  }
  return trial;
}

void LatticeState::SweepGroup(int64_t row, int64_t group, const std::vector<OctetForm>& forms) {
  LatticeCodesRow at(codes_, lattice_, problem_.columns, row);
  const int held = at.sub_scale(group);
  int chosen = held;
  Trial best = ChooseOctets(row, group, forms, at.Scale(group), true);
  for (const int s : {held - 1, held + 1}) {
    if (s < 0 || s > lattice_.most_scale) continue;
    Trial trial = ChooseOctets(row, group, forms, at.Scale(group, s), false);
    if (trial.gain <= best.gain) continue;
    best = std::move(trial);
    chosen = s;
  }
  if (!(best.gain > 0)) return;
  at.sub_scale(group) = static_cast<uint8_t>(chosen);
  for (int64_t k = 0; k < lattice_.group / 8; ++k) {
    const std::optional<Octet>& octet = best.octets[static_cast<size_t>(k)];
    if (octet.has_value()) at.Store(group * lattice_.group / 8 + k, *octet);
  }
  error_.Replace(row, group * lattice_.group, best.values);
}

void LatticeState::Sweep() {
  for (int64_t group = 0; group < lattice_.groups(problem_.columns); ++group) {
    std::vector<OctetForm> forms;
    for (int64_t at = 0; at < lattice_.group; at += 8) forms.push_back(FormOf(error_, group * lattice_.group + at));
    for (int64_t i = 0; i < problem_.rows; ++i) SweepGroup(i, group, forms);
  }
}

// As GridState::RefitScales; what a super-scale is multiplied by is its number times that of its group.
void LatticeState::RefitScales() {
  const int64_t rows = problem_.rows, n = problem_.columns, per = lattice_.supers(n);
  std::vector<double> by_scale;
  std::vector<size_t> index;
  for (int64_t i = 0; i < rows; ++i) {
    LatticeCodesRow row(codes_, lattice_, n, i);
    for (int64_t j = 0; j < n; ++j) {
      const int64_t group = j / lattice_.group;
      by_scale.push_back(row.Number(j) * lattice_.Multiple(row.sub_scale(group)));
      index.push_back(row.ScaleIndex(group));
    }
  }
  const auto gather = [&](const std::vector<double>& q) {
    std::vector<double> x(codes_.scales.size());
    for (size_t at = 0; at < q.size(); ++at) x[index[at]] += q[at] * by_scale[at];
    return x;
  };
  const std::vector<double> step = ConjugateGradients(gather(error_.r()), [&](const std::vector<double>& x) {
    std::vector<double> q;
    for (size_t at = 0; at < by_scale.size(); ++at) q.push_back(x[index[at]] * by_scale[at]);
    return gather(error_.Both(q));
  });
  for (int64_t i = 0; i < rows; ++i) {
    const std::vector<float> before = codes_.scales;
    const double j_before = J();
    for (auto p = static_cast<size_t>(i * per); p < static_cast<size_t>((i + 1) * per); ++p) {
      codes_.scales[p] = StoredScale(ScaleType::kF16, codes_.scales[p] + step[p]);
    }
    std::vector<double> values, held;
    for (int64_t j = 0; j < n; ++j) {
      const auto at = static_cast<size_t>(i * n + j);
      values.push_back(codes_.scales[index[at]] * by_scale[at]);
      held.push_back(error_.Value(i, j));
    }
    error_.Replace(i, 0, values);
    if (J() < j_before) continue;
    codes_.scales = before;
    error_.Replace(i, 0, held);
  }
}

}  // namespace bitwright::worker

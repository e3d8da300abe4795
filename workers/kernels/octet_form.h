#pragma once

namespace bitwright::worker {

// A quadratic form over eight neighbouring columns, (q − t)ᵀ S (q − t) with S positive definite, and what is derived
// from it: common to all rows of a matrix, so that it is made once for many of them. In f64.
struct OctetForm {
  // from: S, row by row
  explicit OctetForm(const double (&from)[64]);

  double s[64];
  double inverse[64];  // S⁻¹
  // S₁₁ − S₁₂ S₂₂⁻¹ S₂₁: what the first four columns cost when the other four may still make up for them.
  double relaxed[16];
};

}  // namespace bitwright::worker

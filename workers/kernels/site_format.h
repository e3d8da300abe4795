#pragma once

namespace bitwright::worker {

// A site is where a model's values are multiplied in low precision: the input of a unit, which one product after the
// other reads. What is multiplied there instead of a row x of values, one token's, as compressed-tensors 0.20 computes
// it for dynamic scales (quantization/utils/helpers.py and lifecycle/forward_helpers.py), all in f32:
//   scale = max|x| / ((2^bits − 1) / 2), or 2⁻²³ where that is 0
//   code = round(clamp(x / scale, −2^(bits−1), 2^(bits−1) − 1)), ties to even
//   value = code · scale
// vLLM divides by 2^(bits−1) − 1 instead, 0.4 % more at 8 bits.
struct SiteFormat {
  int bits = 0;  // of a code, at most 16; 0: values stay as they are

  constexpr bool rounds() const { return bits != 0; }
  constexpr float Least() const { return -static_cast<float>(1 << (bits - 1)); }
  constexpr float Most() const { return static_cast<float>((1 << (bits - 1)) - 1); }
  // Scale of a row whose largest |x| is `most`.
  constexpr float Scale(float most) const {
    const float scale = most / ((Most() - Least()) / 2);
    return scale == 0 ? kLeastScale : scale;
  }

  static constexpr float kLeastScale = 0x1p-23f;  // epsilon of f32
};

static_assert(SiteFormat{8}.Scale(127.5f) == 1 && SiteFormat{8}.Most() == 127 && SiteFormat{8}.Least() == -128);

}  // namespace bitwright::worker

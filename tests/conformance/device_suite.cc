#include "tests/conformance/device_suite.h"

#include <cstring>
#include <functional>

#include "tests/conformance/device_pair.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

void CheckTransfers(Device& device) {
  Bench bench(device);
  const std::vector<float> table = RandomFloats(40 * 24, 9);
  const TensorView view{DType::kF32, {40, 24}, std::as_bytes(std::span(table))};
  const std::vector<int32_t> rows = {3, 0, 39, 3, 17};
  const Pair loaded = bench.Random(5, 24), whole = bench.Random(30, 24), turned = bench.Random(24, 40);
  device.LoadRows(view, rows, 2.5f, true, loaded.Tested());
  bench.plain->LoadRows(view, rows, 2.5f, true, loaded.Expected());
  bench.ExpectEqual(loaded, 1e-6, 1e-6, "load rows, added");
  device.LoadRows(view, rows, 0.5f, false, loaded.Tested());
  bench.plain->LoadRows(view, rows, 0.5f, false, loaded.Expected());
  bench.ExpectEqual(loaded, 0, 0, "load rows");
  device.Load(view, 5 * 24, whole.Tested());
  bench.plain->Load(view, 5 * 24, whole.Expected());
  bench.ExpectEqual(whole, 0, 0, "load");
  device.LoadTransposed(view, turned.Tested());
  bench.plain->LoadTransposed(view, turned.Expected());
  bench.ExpectEqual(turned, 0, 0, "load transposed");
  const Pair from = bench.Random(30, 24);
  device.Add(-1.5f, from.Tested(), whole.Tested());
  bench.plain->Add(-1.5f, from.Expected(), whole.Expected());
  device.Copy(whole.Tested().Rows(2, 4), whole.Tested().Rows(10, 4));
  bench.plain->Copy(whole.Expected().Rows(2, 4), whole.Expected().Rows(10, 4));
  device.Fill(7, whole.Tested().Rows(20, 2));
  bench.plain->Fill(7, whole.Expected().Rows(20, 2));
  bench.ExpectEqual(whole, 1e-6, 1e-6, "add, copy, fill");
}

void CheckProducts(Device& device) {
  Bench bench(device);
  const struct { int64_t rows, in, out; } shapes[] = {{1, 1, 1}, {3, 5, 7}, {37, 65, 130}, {600, 33, 20}, {5, 40, 700}};
  for (const auto& [rows, in, out] : shapes) {
    for (const bool add : {false, true}) {
      const Pair x = bench.Random(rows, in), w = bench.Random(out, in), bias = bench.Random(1, out);
      const Pair y = bench.Random(rows, out);
      device.Multiply(x.Tested(), {w.Tested(), bias.Tested(), 0.5f, add}, y.Tested());
      bench.plain->Multiply(x.Expected(), {w.Expected(), bias.Expected(), 0.5f, add}, y.Expected());
      bench.ExpectEqual(y, 1e-5, 1e-5 * std::sqrt(in), "multiply");
      const DeviceMatrix narrow(device, DType::kBF16, out, in), narrow_plain(*bench.plain, DType::kBF16, out, in);
      device.Narrow(w.Tested(), narrow.view());
      bench.plain->Narrow(w.Expected(), narrow_plain.view());
      device.Multiply(x.Tested(), {narrow.view(), bias.Tested(), 0.5f, add}, y.Tested());
      bench.plain->Multiply(x.Expected(), {narrow_plain.view(), bias.Expected(), 0.5f, add}, y.Expected());
      bench.ExpectEqual(y, 1e-5, 2e-5 * std::sqrt(in), "multiply in bf16");
      // Of rows that are equal to the bit.
      const Pair z = bench.Random(rows, out);
      const SiteFormat site{8};
      device.Multiply(x.Tested(), {w.Tested(), bias.Tested(), 0.5f, add, site}, z.Tested());
      bench.plain->Multiply(x.Expected(), {w.Expected(), bias.Expected(), 0.5f, add, site}, z.Expected());
      bench.ExpectEqual(z, 1e-5, 1e-5 * std::sqrt(in), "multiply what a site rounds");
      device.Multiply(x.Tested(), {narrow.view(), bias.Tested(), 0.5f, add, site}, z.Tested());
      bench.plain->Multiply(x.Expected(), {narrow_plain.view(), bias.Expected(), 0.5f, add, site}, z.Expected());
      bench.ExpectEqual(z, 1e-5, 2e-5 * std::sqrt(in), "multiply what a site rounds in bf16");
      const Pair dx = bench.Random(rows, in), dw = bench.Random(out, in);
      device.MultiplyBack(y.Tested(), w.Tested(), -2, dx.Tested());
      bench.plain->MultiplyBack(y.Expected(), w.Expected(), -2, dx.Expected());
      bench.ExpectEqual(dx, 1e-5, 2e-4 * std::sqrt(out), "multiply back");
      device.AddOuter(y.Tested(), x.Tested(), 0.25f, dw.Tested());
      bench.plain->AddOuter(y.Expected(), x.Expected(), 0.25f, dw.Expected());
      bench.ExpectEqual(dw, 1e-5, 2e-4 * std::sqrt(rows), "outer");
    }
  }
}

void CheckNorms(Device& device) {
  Bench bench(device);
  for (const bool centered : {false, true}) {
    for (const auto& [heads, dim] : {std::pair<int64_t, int64_t>{1, 70}, {4, 16}, {3, 33}}) {
      const int64_t stride = dim + 2, columns = heads * stride;
      const Pair x = bench.Random(9, columns), y = bench.Random(9, columns);
      const Pair weight = bench.Random(1, dim), bias = bench.Random(1, dim);
      const auto parts = [&](bool tested) {
        NormParts norm{tested ? weight.Tested() : weight.Expected(), {}, 1e-5f, centered};
        if (centered) norm.bias = tested ? bias.Tested() : bias.Expected();
        return norm;
      };
      const auto as_heads = [&](const Matrix& m) { return HeadsOf(m, heads, stride, dim); };
      device.Norm(as_heads(x.Tested()), parts(true), as_heads(y.Tested()));
      bench.plain->Norm(as_heads(x.Expected()), parts(false), as_heads(y.Expected()));
      bench.ExpectEqual(y, 1e-5, 1e-5, "norm");
      const Pair dx = bench.Random(9, columns), dweight = bench.Random(1, dim), dbias = bench.Random(1, dim);
      device.NormBack(as_heads(x.Tested()), parts(true), as_heads(y.Tested()), as_heads(dx.Tested()),
                      {dweight.Tested(), dbias.Tested()});
      bench.plain->NormBack(as_heads(x.Expected()), parts(false), as_heads(y.Expected()), as_heads(dx.Expected()),
                            {dweight.Expected(), dbias.Expected()});
      bench.ExpectEqual(dx, 1e-5, 1e-5, "norm back");
      bench.ExpectEqual(dweight, 1e-5, 1e-5, "weight of a norm");
      bench.ExpectEqual(dbias, 1e-5, 1e-5, "bias of a norm");
    }
  }
}

void CheckRotations(Device& device) {
  Bench bench(device);
  for (const bool interleaved : {false, true}) {
    for (const int64_t rotary : {int64_t{8}, int64_t{12}}) {
      const Pair x = bench.Random(14, 3 * 20), cos = bench.Random(7, rotary / 2), sin = bench.Random(7, rotary / 2);
      for (const bool backwards : {false, true}) {
        device.Rotate({cos.Tested(), sin.Tested(), rotary, interleaved}, backwards, HeadsOf(x.Tested(), 3, 20, 12));
        bench.plain->Rotate({cos.Expected(), sin.Expected(), rotary, interleaved}, backwards,
                            HeadsOf(x.Expected(), 3, 20, 12));
        bench.ExpectEqual(x, 1e-5, 1e-5, "rotate");
      }
    }
  }
}

void CheckAttention(Device& device) {
  Bench bench(device);
  struct Case {
    int64_t window, windows, heads, kv_heads, dim, reach;
    float cap;
  };
  // Windows around the size of a tile of queries, and ones that reach across it.
  const Case cases[] = {{1, 3, 2, 1, 8, 0, 0},    {17, 2, 4, 2, 16, 0, 0},     {20, 2, 3, 3, 10, 5, 0},
                        {20, 1, 2, 2, 8, 1, 0},   {19, 2, 4, 1, 12, 0, 3.0f},  {150, 1, 2, 1, 8, 0, 0},
                        {150, 1, 2, 2, 8, 30, 0}, {260, 1, 1, 1, 8, 140, 2.0f}};
  for (const Case& c : cases) {
    const AttentionParts parts{0.7f, c.cap, c.window, c.reach};
    const int64_t rows = c.window * c.windows, stride = c.dim + 1;
    const Pair q = bench.Random(rows, c.heads * stride), k = bench.Random(rows, c.kv_heads * stride);
    const Pair v = bench.Random(rows, c.kv_heads * stride), out = bench.Random(rows, c.heads * stride);
    const auto query = [&](const Matrix& m) { return HeadsOf(m, c.heads, stride, c.dim); };
    const auto key = [&](const Matrix& m) { return HeadsOf(m, c.kv_heads, stride, c.dim); };
    device.Attend(parts, query(q.Tested()), key(k.Tested()), key(v.Tested()), query(out.Tested()));
    bench.plain->Attend(parts, query(q.Expected()), key(k.Expected()), key(v.Expected()), query(out.Expected()));
    bench.ExpectEqual(out, 2e-5, 2e-5, "attend");
    const Pair dq = bench.Random(rows, c.heads * stride), dk = bench.Random(rows, c.kv_heads * stride);
    const Pair dv = bench.Random(rows, c.kv_heads * stride);
    device.AttendBack(parts, query(q.Tested()), key(k.Tested()), key(v.Tested()), query(out.Tested()),
                      query(dq.Tested()), key(dk.Tested()), key(dv.Tested()));
    bench.plain->AttendBack(parts, query(q.Expected()), key(k.Expected()), key(v.Expected()), query(out.Expected()),
                            query(dq.Expected()), key(dk.Expected()), key(dv.Expected()));
    bench.ExpectEqual(dq, 5e-5, 5e-5, "gradient of queries");
    bench.ExpectEqual(dk, 5e-5, 1e-4, "gradient of keys");
    bench.ExpectEqual(dv, 5e-5, 1e-4, "gradient of values");
  }
}

void CheckActivations(Device& device) {
  Bench bench(device);
  for (const Activation activation : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu}) {
    for (const bool gated : {false, true}) {
      const Pair gate = bench.Random(11, 37, 4), up = bench.Random(11, 37), out = bench.Random(11, 37);
      const Pair dgate = bench.Random(11, 37), dup = bench.Random(11, 37);
      const Matrix none;
      device.Activate(activation, gate.Tested(), gated ? up.Tested() : none, out.Tested());
      bench.plain->Activate(activation, gate.Expected(), gated ? up.Expected() : none, out.Expected());
      bench.ExpectEqual(out, 2e-5, 2e-6, "activate");
      device.ActivateBack(activation, gate.Tested(), gated ? up.Tested() : none, out.Tested(), dgate.Tested(),
                          gated ? dup.Tested() : none);
      bench.plain->ActivateBack(activation, gate.Expected(), gated ? up.Expected() : none, out.Expected(),
                                dgate.Expected(), gated ? dup.Expected() : none);
      bench.ExpectEqual(dgate, 2e-5, 2e-5, "gradient of the gate");
      bench.ExpectEqual(dup, 2e-5, 2e-5, "gradient of the other factor");
    }
  }
  const Pair x = bench.Random(6, 19, 9), d = bench.Random(6, 19);
  device.Cap(4, x.Tested());
  bench.plain->Cap(4, x.Expected());
  bench.ExpectEqual(x, 1e-5, 1e-6, "cap");
  device.CapBack(4, x.Tested(), d.Tested());
  bench.plain->CapBack(4, x.Expected(), d.Expected());
  bench.ExpectEqual(d, 1e-4, 1e-5, "cap back");
}

void CheckExperts(Device& device) {
  Bench bench(device);
  for (const bool normalized : {false, true}) {
    const int64_t tokens = 23, experts = 6, width = 15;
    const Pair logits = bench.Random(tokens, experts, 3), x = bench.Random(tokens, width);
    const Routing routing = device.Route(logits.Tested(), 2, normalized);
    const Routing expected = bench.plain->Route(logits.Expected(), 2, normalized);
    EXPECT_EQ(routing.rows, expected.rows);
    std::vector<std::vector<float>> dweights;
    for (size_t e = 0; e < static_cast<size_t>(experts); ++e) {
      const std::vector<int32_t>& rows = expected.rows[e];
      for (size_t i = 0; i < rows.size(); ++i) {
        ExpectClose(routing.weights[e][i], expected.weights[e][i], 1e-5, 0, static_cast<int64_t>(i));
      }
      dweights.push_back(RandomFloats(static_cast<int64_t>(rows.size()), 77 + static_cast<uint32_t>(e)));
      if (rows.empty()) continue;
      const Pair part = bench.Random(static_cast<int64_t>(rows.size()), width), sum = bench.Random(tokens, width);
      device.GatherRows(x.Tested(), rows, part.Tested());
      bench.plain->GatherRows(x.Expected(), rows, part.Expected());
      bench.ExpectEqual(part, 0, 0, "gather");
      device.ScaleRows(expected.weights[e], part.Tested());
      bench.plain->ScaleRows(expected.weights[e], part.Expected());
      device.AddRows(part.Tested(), rows, expected.weights[e], sum.Tested());
      bench.plain->AddRows(part.Expected(), rows, expected.weights[e], sum.Expected());
      bench.ExpectEqual(sum, 1e-6, 1e-6, "scale and add rows");
      std::vector<float> dots(rows.size()), expected_dots(rows.size());
      device.DotRows(part.Tested(), x.Tested(), rows, dots);
      bench.plain->DotRows(part.Expected(), x.Expected(), rows, expected_dots);
      for (size_t i = 0; i < dots.size(); ++i) ExpectClose(dots[i], expected_dots[i], 1e-5, 1e-5, 0);
    }
    const Pair dlogits = bench.Random(tokens, experts);
    device.RouteBack(logits.Tested(), expected, normalized, dweights, dlogits.Tested());
    bench.plain->RouteBack(logits.Expected(), expected, normalized, dweights, dlogits.Expected());
    bench.ExpectEqual(dlogits, 2e-5, 2e-6, "route back");
  }
  const Pair gate = bench.Random(9, 1, 2, 0), from = bench.Random(9, 21), to = bench.Random(9, 21);
  const Pair dgate = bench.Random(9, 1, 1, 0), dfrom = bench.Random(9, 21);
  device.AddGated(0.5f, gate.Tested(), from.Tested(), to.Tested());
  bench.plain->AddGated(0.5f, gate.Expected(), from.Expected(), to.Expected());
  bench.ExpectEqual(to, 1e-6, 1e-6, "gated");
  device.AddGatedBack(0.5f, gate.Tested(), from.Tested(), to.Tested(), dgate.Tested(), dfrom.Tested());
  bench.plain->AddGatedBack(0.5f, gate.Expected(), from.Expected(), to.Expected(), dgate.Expected(), dfrom.Expected());
  bench.ExpectEqual(dgate, 1e-5, 1e-5, "gradient of the gate");
  bench.ExpectEqual(dfrom, 1e-5, 1e-5, "gradient of what is gated");
}

void CheckLogits(Device& device) {
  Bench bench(device);
  const int64_t tokens = 33, vocabulary = 301;
  const Pair base = bench.Random(tokens, vocabulary, 6), other = bench.Random(tokens, vocabulary, 6);
  std::vector<int32_t> targets;
  std::vector<double> uniforms;
  for (int64_t t = 0; t < tokens; ++t) {
    targets.push_back(static_cast<int32_t>(t * 37 % vocabulary));
    uniforms.push_back(static_cast<double>(t) / static_cast<double>(tokens));
  }
  std::vector<int32_t> labels = targets;
  labels[4] = -1;
  ExpectSameLogits(bench, base, other, targets, uniforms, labels);
}

void CheckMoments(Device& device) {
  Bench bench(device);
  for (const int64_t columns : {int64_t{1}, int64_t{30}, int64_t{300}}) {
    const Pair x = bench.Random(41, columns);
    const Pair sums = bench.Random(columns, columns, 1, 0);
    device.AddMoment(x.Tested(), sums.Tested());
    bench.plain->AddMoment(x.Expected(), sums.Expected());
    std::vector<float> got(static_cast<size_t>(PackedTriangleSize(columns))), expected(got.size());
    const Pair squares = bench.Random(1, columns);
    device.AddSquares(x.Tested(), squares.Tested());
    bench.plain->AddSquares(x.Expected(), squares.Expected());
    bench.ExpectEqual(squares, 1e-6, 1e-6, "squares");
    device.ReadTriangle(sums.Tested(), 0.5f, got);
    bench.plain->ReadTriangle(sums.Expected(), 0.5f, expected);
    for (size_t i = 0; i < got.size(); ++i) ExpectClose(got[i], expected[i], 1e-5, 1e-4, static_cast<int64_t>(i));
  }
}

}  // namespace

void ExpectSameLogits(Bench& bench, const Pair& base, const Pair& other, std::span<const int32_t> targets,
                      std::span<const double> uniforms, std::span<const int32_t> labels) {
  std::vector<TokenComparison> got(targets.size()), expected(got.size());
  bench.device.Compare(base.Tested(), other.Tested(), targets, got);
  bench.plain->Compare(base.Expected(), other.Expected(), targets, expected);
  for (size_t t = 0; t < got.size(); ++t) {
    EXPECT_NEAR(got[t].nll_base, expected[t].nll_base, 1e-12);
    EXPECT_NEAR(got[t].nll_other, expected[t].nll_other, 1e-12);
    EXPECT_NEAR(got[t].kl, expected[t].kl, 1e-11);
    EXPECT_NEAR(got[t].p_delta, expected[t].p_delta, 1e-13);
    EXPECT_EQ(got[t].same_top, expected[t].same_top);
  }
  std::vector<int32_t> drawn(targets.size(), -7), expected_drawn(targets.size());
  bench.device.Sample(base.Tested(), uniforms, drawn);
  bench.plain->Sample(base.Expected(), uniforms, expected_drawn);
  EXPECT_EQ(drawn, expected_drawn);
  std::vector<double> losses(targets.size()), expected_losses(targets.size());
  bench.device.LossBack(base.Tested(), labels, losses);
  bench.plain->LossBack(base.Expected(), labels, expected_losses);
  for (size_t t = 0; t < losses.size(); ++t) EXPECT_NEAR(losses[t], expected_losses[t], 1e-12);
  bench.ExpectEqual(base, 1e-6, 1e-9, "loss back");
}

std::vector<DeviceCheck> DeviceChecks(double below) {
  std::vector<DeviceCheck> checks = {
      {"Transfers", CheckTransfers}, {"Products", CheckProducts},   {"Norms", CheckNorms},
      {"Rotations", CheckRotations}, {"Attention", CheckAttention}, {"Activations", CheckActivations},
      {"Experts", CheckExperts},     {"Logits", CheckLogits},       {"Moments", CheckMoments}};
  for (DeviceCheck& check : ShapeChecks()) checks.push_back(std::move(check));
  for (DeviceCheck& check : RoundingChecks(below)) checks.push_back(std::move(check));
  return checks;
}

}  // namespace bitwright::worker

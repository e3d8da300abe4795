#include <cmath>
#include <cstring>

#include "tests/conformance/device_pair.h"
#include "tests/conformance/device_suite.h"
#include "tests/support/device_values.h"
#include "workers/tensor/float16.h"
#include "workers/tensor/packed_triangle.h"

// Shapes of real models, and past the tiles and pieces by which a device may cut its work; what an operation must write
// is poisoned before.
namespace bitwright::worker {
namespace {

constexpr int64_t kPieceRows = 1050, kPieceColumns = 4099;  // f32 that take more than 16 MiB

std::vector<float> LongTable() {
  std::vector<float> values(static_cast<size_t>(kPieceRows * kPieceColumns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.25f;
  return values;
}

void CheckLongLoads(Device& device) {
  const std::vector<float> table = LongTable();
  const int64_t rows = kPieceRows, columns = kPieceColumns;
  const TensorView view{DType::kF32, {rows, columns}, std::as_bytes(std::span(table))};
  std::vector<int32_t> order;
  for (int64_t r = 0; r < rows; ++r) order.push_back(static_cast<int32_t>(r * 11 % rows));
  const DeviceMatrix loaded(device, DType::kF32, 1, view.elements() - 1), chosen(device, DType::kF32, rows, columns);
  const DeviceMatrix turned(device, DType::kF32, columns, rows);
  device.Load(view, 1, loaded.view());
  device.LoadRows(view, order, 1, false, chosen.view());
  device.LoadTransposed(view, turned.view());
  const std::vector<float> flat = Values(device, loaded.view());
  EXPECT_EQ(std::memcmp(flat.data(), table.data() + 1, flat.size() * sizeof(float)), 0);
  const std::vector<float> gathered = Values(device, chosen.view()), transposed = Values(device, turned.view());
  int64_t wrong = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = &table[static_cast<size_t>(order[static_cast<size_t>(r)] * columns)];
    wrong += std::memcmp(&gathered[static_cast<size_t>(r * columns)], row, columns * sizeof(float)) != 0;
  }
  for (int64_t c = 0; c < columns; ++c) {
    for (int64_t r = 0; r < rows; r += 13) wrong += transposed[c * rows + r] != table[r * columns + c];
  }
  EXPECT_EQ(wrong, 0);
}

// Every number of f16 and bf16 that is one.
void CheckHalves(Device& device) {
  for (const DType type : {DType::kF16, DType::kBF16}) {
    std::vector<uint16_t> stored;
    std::vector<float> expected;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const uint16_t half = static_cast<uint16_t>(bits);
      const float value = type == DType::kF16 ? F16ToFloat(half) : Bf16ToFloat(half);
      if (std::isnan(value)) continue;
      stored.push_back(half);
      expected.push_back(value);
    }
    const TensorView view{type, {std::ssize(stored)}, std::as_bytes(std::span(stored))};
    const DeviceMatrix loaded(device, DType::kF32, 1, view.elements());
    device.Load(view, 0, loaded.view());
    EXPECT_EQ(Values(device, loaded.view()), expected) << DTypeName(type);
  }
}

void CheckLongTriangles(Device& device) {
  const int64_t n = 2950;
  std::vector<float> values(static_cast<size_t>(n * n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.25f;
  const DeviceMatrix matrix = OnDevice(device, values, n);
  std::vector<float> got(static_cast<size_t>(PackedTriangleSize(n)), std::nanf("")), expected(got.size());
  device.ReadTriangle(matrix.view(), 0.5f, got);
  PackTriangle(values, n, expected);
  int64_t wrong = 0;
  for (size_t i = 0; i < got.size(); ++i) wrong += got[i] != 0.5f * expected[i];
  EXPECT_EQ(wrong, 0);
}

void CheckHeadSizes(Device& device) {
  Bench bench(device);
  struct Case {
    int64_t window, windows, heads, kv_heads, dim, value_dim, reach;
    float cap;
  };
  const Case cases[] = {{300, 1, 2, 1, 64, 64, 0, 0},    {130, 2, 2, 2, 80, 80, 0, 0},  {65, 1, 4, 1, 128, 128, 0, 0},
                        {130, 1, 2, 1, 256, 256, 50, 0}, {70, 1, 1, 1, 192, 128, 0, 5}, {64, 2, 3, 1, 48, 160, 64, 0},
                        {128, 1, 2, 2, 96, 96, 0, 0}};
  for (const Case& c : cases) {
    SCOPED_TRACE("dim " + std::to_string(c.dim));
    const AttentionParts parts{1 / std::sqrt(static_cast<float>(c.dim)) * 2, c.cap, c.window, c.reach};
    const int64_t rows = c.window * c.windows, stride = c.dim + 1, value_stride = c.value_dim + 3;
    const Pair q = bench.Random(rows, c.heads * stride), k = bench.Random(rows, c.kv_heads * stride);
    const Pair v = bench.Random(rows, c.kv_heads * value_stride);
    const Pair out = bench.Random(rows, c.heads * value_stride), dout = bench.Random(rows, c.heads * value_stride);
    const Pair dq = bench.Random(rows, c.heads * stride), dk = bench.Random(rows, c.kv_heads * stride);
    const Pair dv = bench.Random(rows, c.kv_heads * value_stride);
    const auto query = [&](const Matrix& m) { return HeadsOf(m, c.heads, stride, c.dim); };
    const auto key = [&](const Matrix& m) { return HeadsOf(m, c.kv_heads, stride, c.dim); };
    const auto value = [&](const Matrix& m) { return HeadsOf(m, c.kv_heads, value_stride, c.value_dim); };
    const auto result = [&](const Matrix& m) { return HeadsOf(m, c.heads, value_stride, c.value_dim); };
    for (int64_t h = 0; h < c.heads; ++h) {  // what lies between the heads stays as it is
      device.Fill(std::nanf(""), out.Tested().Columns(h * value_stride, c.value_dim));
    }
    device.Attend(parts, query(q.Tested()), key(k.Tested()), value(v.Tested()), result(out.Tested()));
    bench.plain->Attend(parts, query(q.Expected()), key(k.Expected()), value(v.Expected()), result(out.Expected()));
    bench.ExpectEqual(out, 2e-5, 2e-5, "attend");
    device.AttendBack(parts, query(q.Tested()), key(k.Tested()), value(v.Tested()), result(dout.Tested()),
                      query(dq.Tested()), key(dk.Tested()), value(dv.Tested()));
    bench.plain->AttendBack(parts, query(q.Expected()), key(k.Expected()), value(v.Expected()), result(dout.Expected()),
                            query(dq.Expected()), key(dk.Expected()), value(dv.Expected()));
    bench.ExpectEqual(dq, 5e-5, 5e-5, "gradient of queries");
    bench.ExpectEqual(dk, 5e-5, 1e-4, "gradient of keys");
    bench.ExpectEqual(dv, 5e-5, 1e-4, "gradient of values");
  }
}

void CheckVocabularies(Device& device) {
  Bench bench(device);
  for (const auto& [tokens, vocabulary] : {std::pair<int64_t, int64_t>{1, 1}, {3, 130001}, {700, 33}}) {
    SCOPED_TRACE("vocabulary " + std::to_string(vocabulary));
    const Pair base = bench.Random(tokens, vocabulary, 8), other = bench.Random(tokens, vocabulary, 8);
    std::vector<int32_t> targets;
    std::vector<double> uniforms;
    for (int64_t t = 0; t < tokens; ++t) {
      targets.push_back(static_cast<int32_t>((t * 37 + vocabulary - 1) % vocabulary));
      uniforms.push_back(t == 0   ? 0
                         : t == 2 ? 1 - 0x1p-53
                                  : (static_cast<double>(t) - 0.5) / static_cast<double>(tokens));
    }
    ExpectSameLogits(bench, base, other, targets, uniforms, targets);
  }
}

// Among equals the lowest token is the most likely one, wherever they lie.
void CheckEqualLogits(Device& device) {
  const int64_t vocabulary = 9001;
  const int32_t first[] = {0, 17, 5000}, second[] = {9000, 17 + 512, 5001};
  std::vector<float> base(3 * vocabulary, -1.0f), other = base;
  for (int64_t r = 0; r < 3; ++r) {
    base[r * vocabulary + first[r]] = base[r * vocabulary + second[r]] = 2;
    other[r * vocabulary + (r == 1 ? second[r] : first[r])] = 2;
  }
  const DeviceMatrix b(device, DType::kF32, 3, vocabulary), o(device, DType::kF32, 3, vocabulary);
  device.Write(base, b.view());
  device.Write(other, o.view());
  std::vector<TokenComparison> got(3);
  device.Compare(b.view(), o.view(), std::vector<int32_t>{0, 1, 2}, got);
  EXPECT_TRUE(got[0].same_top);
  EXPECT_FALSE(got[1].same_top);
  EXPECT_TRUE(got[2].same_top);
}

void CheckManyRows(Device& device) {
  Bench bench(device);
  const int64_t rows = 4500, columns = 41, out = 24;
  const Pair x = bench.Random(rows, columns), w = bench.Random(out, columns), y = bench.Poisoned(rows, out);
  device.Multiply(x.Tested(), {w.Tested()}, y.Tested());
  bench.plain->Multiply(x.Expected(), {w.Expected()}, y.Expected());
  bench.ExpectEqual(y, 1e-5, 1e-4, "multiply");
  const Pair weight = bench.Random(1, columns), normed = bench.Poisoned(rows, columns);
  device.Norm(HeadsOf(x.Tested(), 1, columns, columns), {weight.Tested(), {}, 1e-6f},
              HeadsOf(normed.Tested(), 1, columns, columns));
  bench.plain->Norm(HeadsOf(x.Expected(), 1, columns, columns), {weight.Expected(), {}, 1e-6f},
                    HeadsOf(normed.Expected(), 1, columns, columns));
  bench.ExpectEqual(normed, 1e-5, 1e-5, "norm");
  const Pair active = bench.Poisoned(rows, columns);
  device.Activate(Activation::kSilu, x.Tested(), normed.Tested(), active.Tested());
  bench.plain->Activate(Activation::kSilu, x.Expected(), normed.Expected(), active.Expected());
  bench.ExpectEqual(active, 2e-5, 1e-5, "activate");
  const Pair sums = bench.Random(columns, columns, 1, 0), squares = bench.Random(1, columns);
  device.AddMoment(x.Tested(), sums.Tested());
  bench.plain->AddMoment(x.Expected(), sums.Expected());
  std::vector<float> got(static_cast<size_t>(PackedTriangleSize(columns))), expected(got.size());
  device.ReadTriangle(sums.Tested(), 1, got);
  bench.plain->ReadTriangle(sums.Expected(), 1, expected);
  // Of sums of some 1500 on the diagonal.
  for (size_t i = 0; i < got.size(); ++i) ExpectClose(got[i], expected[i], 1e-5, 3e-3, static_cast<int64_t>(i));
  device.AddSquares(x.Tested(), squares.Tested());
  bench.plain->AddSquares(x.Expected(), squares.Expected());
  bench.ExpectEqual(squares, 1e-6, 1e-6, "squares");
}

void CheckLongRows(Device& device) {
  Bench bench(device);
  const int64_t dim = 1500;
  for (const bool centered : {false, true}) {
    const Pair x = bench.Random(2, dim), weight = bench.Random(1, dim), bias = bench.Random(1, dim);
    const Pair y = bench.Poisoned(2, dim), dx = bench.Random(2, dim), dweight = bench.Random(1, dim);
    const auto one = [&](const Matrix& m) { return HeadsOf(m, 1, dim, dim); };
    const NormParts tested{weight.Tested(), centered ? bias.Tested() : Matrix{}, 1e-5f, centered};
    const NormParts plain{weight.Expected(), centered ? bias.Expected() : Matrix{}, 1e-5f, centered};
    device.Norm(one(x.Tested()), tested, one(y.Tested()));
    bench.plain->Norm(one(x.Expected()), plain, one(y.Expected()));
    bench.ExpectEqual(y, 1e-5, 1e-5, "norm");
    device.NormBack(one(x.Tested()), tested, one(y.Tested()), one(dx.Tested()), {dweight.Tested(), {}});
    bench.plain->NormBack(one(x.Expected()), plain, one(y.Expected()), one(dx.Expected()), {dweight.Expected(), {}});
    bench.ExpectEqual(dx, 1e-5, 1e-5, "norm back");
    bench.ExpectEqual(dweight, 1e-5, 1e-5, "weight of a norm");
  }
  const Pair x = bench.Random(1, 3000), w = bench.Random(1100, 3000), y = bench.Poisoned(1, 1100);
  device.Multiply(x.Tested(), {w.Tested()}, y.Tested());
  bench.plain->Multiply(x.Expected(), {w.Expected()}, y.Expected());
  bench.ExpectEqual(y, 1e-5, 1e-3, "multiply");
}

void CheckManyExperts(Device& device) {
  Bench bench(device);
  const int64_t tokens = 300, experts = 100, chosen = 8;
  std::vector<float> values = RandomFloats(tokens * experts, 3, 3);
  for (size_t i = 0; i + 60 < values.size(); i += 97) values[i + 60] = values[i];  // equals
  const Pair logits = bench.Random(tokens, experts), dlogits = bench.Random(tokens, experts);
  device.Write(values, logits.Tested());
  bench.plain->Write(values, logits.Expected());
  for (const bool normalized : {false, true}) {
    const Routing routing = device.Route(logits.Tested(), chosen, normalized);
    const Routing expected = bench.plain->Route(logits.Expected(), chosen, normalized);
    EXPECT_EQ(routing.rows, expected.rows);
    std::vector<std::vector<float>> dweights;
    for (size_t e = 0; e < expected.weights.size(); ++e) {
      const std::vector<float>& weights = expected.weights[e];
      ASSERT_EQ(routing.weights[e].size(), weights.size());
      for (size_t i = 0; i < weights.size(); ++i) ExpectClose(routing.weights[e][i], weights[i], 1e-5, 0, 0);
      dweights.push_back(RandomFloats(std::ssize(weights), 7 + static_cast<uint32_t>(e)));
    }
    device.RouteBack(logits.Tested(), expected, normalized, dweights, dlogits.Tested());
    bench.plain->RouteBack(logits.Expected(), expected, normalized, dweights, dlogits.Expected());
    bench.ExpectEqual(dlogits, 2e-5, 2e-6, "route back");
  }
}

}  // namespace

std::vector<DeviceCheck> ShapeChecks() {
  return {{"LongLoads", CheckLongLoads},         {"Halves", CheckHalves},
          {"LongTriangles", CheckLongTriangles}, {"HeadSizes", CheckHeadSizes},
          {"Vocabularies", CheckVocabularies},   {"EqualLogits", CheckEqualLogits},
          {"ManyRows", CheckManyRows},           {"LongRows", CheckLongRows},
          {"ManyExperts", CheckManyExperts}};
}

}  // namespace bitwright::worker

#include "proto/report/text_table.h"

#include <gtest/gtest.h>

#include "proto/report/number_text.h"

namespace bitwright {
namespace {

TEST(TextTable, AlignsByColumnsNotBytes) {
  TextTable table({{"name", TextTable::Align::kLeft}, {"value"}});
  table.Add({"a", "1 ± 2"});
  table.Add({"long", "10 ± 2"});
  EXPECT_EQ(table.ToText(),
            "name   value\n"
            "----  ------\n"
            "a      1 ± 2\n"
            "long  10 ± 2\n");
}

TEST(TextTable, CutsTheFirstColumnToFit) {
  TextTable table({{"name", TextTable::Align::kLeft}, {"value"}});
  table.Add({"model.layers.10.mlp.gate_up_proj", "1"});
  const std::string text = table.ToText(30);
  EXPECT_NE(text.find("model.layer…ate_up_proj"), std::string::npos) << text;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    EXPECT_LE(Columns(std::string_view(text).substr(at, text.find('\n', at) - at)), 30u);
  }
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(Wrap("one two  three", 7), "one two\nthree\n");
  EXPECT_EQ(Wrap("", 7), "");
  EXPECT_EQ(Wrap("longerthanthat x", 7), "longerthanthat\nx\n");
}

}  // namespace
}  // namespace bitwright

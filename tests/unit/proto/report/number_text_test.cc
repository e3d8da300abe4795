#include "proto/report/number_text.h"

#include <gtest/gtest.h>

namespace bitwright {
namespace {

TEST(NumberText, Forms) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-123456), "-123,456");
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(1000), "1.00 kB");
  EXPECT_EQ(BytesText(999999), "1.00 MB");
  EXPECT_EQ(BytesText(13644312), "13.64 MB");
  EXPECT_EQ(SecondsText(0.31), "0.3 s");
  EXPECT_EQ(SecondsText(59.4), "59 s");
  EXPECT_EQ(SecondsText(185), "3 min 05 s");
  EXPECT_EQ(SecondsText(7440), "2 h 04 min");
  EXPECT_EQ(PlusMinus(24.712, 0.308, 2), "24.71 ± 0.31");
  EXPECT_EQ(Percent(0.9512, 1), "95.1 %");
  EXPECT_EQ(Percent(-0.0001, 1), "0.0 %");
  EXPECT_EQ(Fixed(-1e-16, 6), "0.000000");
  EXPECT_EQ(Fixed(-0.6, 0), "-1");
  EXPECT_EQ(Fixed(-0.06, 1), "-0.1");
}

TEST(NumberText, PrintableDropsWhatSteersATerminal) {
  EXPECT_EQ(Printable("a\033[31mb\n", 80), "a?[31mb?");
  EXPECT_EQ(Printable("a\xC2\x9B"
                      "31m",
                      80),
            "a?31m");
  EXPECT_EQ(Printable("größer", 80), "größer");
  EXPECT_EQ(Printable("größer", 3), "grö…");
  EXPECT_EQ(Columns("± ö"), 3u);
}

}  // namespace
}  // namespace bitwright

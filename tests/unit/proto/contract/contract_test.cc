#include <gtest/gtest.h>

#include <map>
#include <string>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/message_bytes.h"
#include "proto/base/utf8.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

TEST(Digest, Sha256OfAbcIsTheStandardsExample) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, TextRoundTrips) {
  const BlobDigest digest = DigestOf("abc");
  ASSERT_OK_AND_ASSIGN(const BlobDigest parsed, ParseDigest(digest.ToString()));
  EXPECT_EQ(parsed, digest);
}

TEST(Digest, RefusesOtherForms) {
  const std::string hash(64, 'a');
  for (const std::string& text : {hash, hash + "/", hash + "/-1", hash + "/01", hash + "/1x", hash.substr(1) + "/1",
                                  std::string(64, 'A') + "/1", hash + "/99999999999999999999"}) {
    EXPECT_THAT(ParseDigest(text), HasReason("DIGEST_INVALID")) << text;
  }
}

TEST(Errors, DetailSurvivesTheWireForm) {
  const absl::Status status = MakeError(absl::StatusCode::kNotFound, "THING_MISSING", "no thing", {{"thing", "x"}});
  const auto detail = GetErrorDetail(status);
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->reason, "THING_MISSING");
  EXPECT_EQ(detail->metadata.at("thing"), "x");
  EXPECT_EQ(ErrorReason(absl::NotFoundError("plain")), "");
}

// A status may become part of a file that is known by its digest.
TEST(Errors, EqualErrorsHaveEqualBytes) {
  const auto bytes = [] {
    std::map<std::string, std::string> metadata;
    for (int i = 0; i < 16; ++i) metadata[std::to_string(i)] = "x";
    return DeterministicBytes(ToProto(MakeError(absl::StatusCode::kNotFound, "THING_MISSING", "no thing", metadata)));
  };
  const std::string first = bytes();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(bytes(), first);
}

TEST(Errors, HostileBytesNeverReachTheWire) {
  const absl::Status status =
      MakeError(absl::StatusCode::kInvalidArgument, "NAME_INVALID", "name '\xff\x1b[2J'", {{"name", "\xc3"}});
  EXPECT_EQ(status.message(), "name '??[2J'");
  EXPECT_EQ(GetErrorDetail(status)->metadata.at("name"), "?");
}

TEST(Printable, KeepsWellFormedTextAndReplacesTheRest) {
  EXPECT_EQ(Printable("plain \u00e4 \u20ac \U0001f600"), "plain \u00e4 \u20ac \U0001f600");
  EXPECT_EQ(Printable("a\nb\tc\r"), "a b c ");
  EXPECT_EQ(Printable(std::string("\0\x7f", 2)), "??");
  EXPECT_EQ(Printable("\xc2\x85"), "?") << "a C1 control character";
  EXPECT_EQ(Printable("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "????") << "above U+10FFFF";
  EXPECT_EQ(Printable("\xe2\x82"), "??") << "cut short";
  EXPECT_EQ(Printable("\xe2x"), "?x");
}

TEST(Names, ManifestPaths) {
  for (const char* good : {"config.json", "a/b.txt", "..a", "a..b/c", "model-00001-of-00003.safetensors"}) {
    EXPECT_THAT(CheckManifestPath(good), IsOk()) << good;
  }
  for (const char* bad : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".", "./a", "a\\b", "a\nb"}) {
    EXPECT_THAT(CheckManifestPath(bad), HasReason("MANIFEST_PATH_INVALID")) << bad;
  }
  EXPECT_THAT(CheckManifestPath(std::string(256, 'a')), HasReason("MANIFEST_PATH_INVALID"));
}

TEST(Names, UploadNamesRoundTrip) {
  const UploadName name{"0f-1", DigestOf("abc")};
  ASSERT_OK_AND_ASSIGN(const UploadName parsed, ParseUploadName(UploadNameText(name)));
  EXPECT_EQ(parsed.uuid, name.uuid);
  EXPECT_EQ(parsed.digest, name.digest);
  EXPECT_THAT(ParseUploadName("uploads//blobs/" + name.digest.ToString()), HasReason("NAME_INVALID"));
  EXPECT_THAT(ParseResourceName("jobs/A", "jobs"), HasReason("NAME_INVALID"));
}

}  // namespace
}  // namespace bitwright

#include "workers/agent/code_version.h"

#include <algorithm>
#include <set>

#include "proto/contract/digest.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

const BlobDigest kProgram = DigestOf("some code");
const std::vector<LoadedLibrary> kLibraries = {{"/usr/lib/libdnnl.so.2", "libdnnl.so.2", Sha256Hex("dnnl 2.6.3")},
                                               {"/lib/libm.so.6", "libm.so.6", Sha256Hex("libm 2.36")}};

TEST(CodeVersion, ChangesWithTheBytesOfTheProgramAndOfEveryLibrary) {
  std::set<std::string> versions = {CodeVersionOf(kProgram, kLibraries), CodeVersionOf(DigestOf("other"), kLibraries),
                                    CodeVersionOf(kProgram, {})};
  for (size_t changed = 0; changed < kLibraries.size(); ++changed) {
    std::vector<LoadedLibrary> libraries = kLibraries;
    libraries[changed].sha256 = Sha256Hex("a patch");
    versions.insert(CodeVersionOf(kProgram, libraries));
    libraries[changed] = kLibraries[changed];
    libraries[changed].name += ".1";
    versions.insert(CodeVersionOf(kProgram, libraries));
  }
  EXPECT_EQ(versions.size(), 3 + 2 * kLibraries.size());
}

TEST(CodeVersion, IsTheSameWhereverLibrariesLieAndInAnyOrder) {
  std::vector<LoadedLibrary> libraries = kLibraries;
  std::reverse(libraries.begin(), libraries.end());
  for (LoadedLibrary& library : libraries) library.path = "/opt" + library.path;
  EXPECT_EQ(CodeVersionOf(kProgram, libraries), CodeVersionOf(kProgram, kLibraries));
  EXPECT_EQ(CodeVersionOf(kProgram, libraries).find('-') + 1 + 16, CodeVersionOf(kProgram, libraries).size());
}

TEST(CodeVersion, IsOfTheFileAndOfWhatThisProcessHasLoaded) {
  const TempDir dir;
  ASSERT_THAT(WriteFile(dir / "program", "some code"), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string version, CodeVersion(dir / "program"));
  EXPECT_EQ(version, CodeVersionOf(kProgram, ComputingLibraries()));
  EXPECT_THAT(CodeVersion(dir / "nothing"), HasReason("FILE_UNREADABLE"));
}

TEST(CodeVersion, OfADevicesLibrariesIsApart) {
  std::vector<LoadedLibrary> reversed(kLibraries.rbegin(), kLibraries.rend());
  const std::string version = LibrariesVersion(kLibraries);
  EXPECT_EQ(version.size(), 8u);
  EXPECT_EQ(LibrariesVersion(reversed), version);
  reversed[0].sha256 = Sha256Hex("a patch");
  EXPECT_NE(LibrariesVersion(reversed), version);
  EXPECT_EQ(ComputingLibraries(LoadedLibraryPaths()), std::vector<LoadedLibrary>());
}

TEST(LoadedFiles, WhatComputesTakesPart) {
  for (const char* name : {"libdnnl.so.2", "libdnnl.so.3", "libhwy.so.1", "libm.so.6", "libc.so.6", "libstdc++.so.6",
                           "libgomp.so.1", "libicuuc.so.72", "libpcre2-8.so.0", "libprotobuf.so.32", "libcublas.so.13",
                           "libcublasLt.so.13", "libcusolver.so.12", "libnvJitLink.so.13"}) {
    EXPECT_TRUE(TakesPart(name)) << name;
  }
  for (const char* name : {"libssl.so.3", "libcrypto.so.3", "libgrpc++.so.1.51", "libseccomp.so.2", "libz.so.1",
                           "libcuda.so.1", "libnvidia-ptxjitcompiler.so.1"}) {
    EXPECT_FALSE(TakesPart(name)) << name;
  }
}

TEST(LoadedFiles, LibrariesOfThisProcessAreFoundAndHashed) {
  const std::vector<LoadedLibrary> libraries = ComputingLibraries();
  std::set<std::string> names;
  for (const LoadedLibrary& library : libraries) {
    EXPECT_EQ(library.sha256.size(), 64u) << library.name;
    EXPECT_TRUE(library.path.ends_with("/" + library.name)) << library.path;
    names.insert(library.name);
  }
  EXPECT_TRUE(names.contains("libc.so.6"));
  EXPECT_TRUE(names.contains("libm.so.6"));
  EXPECT_EQ(ComputingLibraries(), libraries) << "the same bytes at every look";
}

TEST(LoadedFiles, AReplacedLibraryIsNoticed) {
  const TempDir dir;
  ASSERT_THAT(WriteFile(dir / "libm.so.6", "old"), IsOk());
  const LibraryWatch watch({dir / "libm.so.6"});
  EXPECT_THAT(watch.Check(), IsOk());
  ASSERT_THAT(WriteFile(dir / "new", "new"), IsOk());
  ASSERT_EQ(::rename((dir / "new").c_str(), (dir / "libm.so.6").c_str()), 0);
  EXPECT_THAT(watch.Check(), HasReason("LIBRARY_REPLACED"));
}

}  // namespace
}  // namespace bitwright::worker

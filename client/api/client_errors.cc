#include "client/api/client_errors.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::client {
namespace {

std::string Text(std::string_view text) { return std::string(text); }

// What a code means when nobody said more, and what to do.
struct Meaning {
  absl::StatusCode code;
  const char* reason;
  const char* what;
  const char* remedy;
};
constexpr char kSeeLog[] = "look at its log, and give the command again";
constexpr char kSameVersion[] = "use a client and a server of the same version";
constexpr Meaning kMeanings[] = {
    {absl::StatusCode::kCancelled, "CALL_CANCELLED", "ended the call before its result", kSeeLog},
    {absl::StatusCode::kUnknown, "SERVER_FAULT", "failed without saying why", kSeeLog},
    {absl::StatusCode::kInvalidArgument, "SERVER_REFUSED", "took what was sent for wrong", kSameVersion},
    {absl::StatusCode::kDeadlineExceeded, "SERVER_TIMEOUT", "did not answer in time",
     "it may be overloaded: wait, then give the command again"},
    {absl::StatusCode::kNotFound, "SERVER_REFUSED", "does not have what was asked for", kSameVersion},
    {absl::StatusCode::kAlreadyExists, "SERVER_REFUSED", "already has what was to be made", kSameVersion},
    {absl::StatusCode::kPermissionDenied, "ACCESS_DENIED", "denies access", "ask whoever runs it for the rights"},
    {absl::StatusCode::kResourceExhausted, "SERVER_EXHAUSTED", "has no room left, or the message is too large for it",
     "wait until it has less to do, or ask for less at once"},
    {absl::StatusCode::kFailedPrecondition, "SERVER_REFUSED", "is not in the state for this", kSeeLog},
    {absl::StatusCode::kAborted, "SERVER_REFUSED", "gave the call up", kSeeLog},
    {absl::StatusCode::kOutOfRange, "SERVER_REFUSED", "took a number for out of range", kSameVersion},
    {absl::StatusCode::kUnimplemented, "CALL_UNKNOWN", "does not know this call, or cannot read it",
     "it may be older than this program, or no Bitwright service at all: check --server, and update the older of the "
     "two"},
    {absl::StatusCode::kInternal, "SERVER_FAULT", "failed, or the connection to it did", kSeeLog},
    {absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE", "cannot be reached",
     "start bitwrightd there, or name another with --server or BITWRIGHT_SERVER"},
    {absl::StatusCode::kDataLoss, "SERVER_FAULT", "lost data", kSeeLog},
    {absl::StatusCode::kUnauthenticated, "ACCESS_DENIED", "does not know who is asking",
     "ask whoever runs it for access"},
};

const Meaning& MeaningOf(absl::StatusCode code) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code == code) return meaning;
  }
  return kMeanings[1];
}

}  // namespace

absl::Status ServerUnreachableError(std::string_view address, std::string_view cause) {
  return MakeError(absl::StatusCode::kUnavailable, "SERVER_UNREACHABLE",
                   absl::StrCat("the server at ", Text(address), " cannot be reached: ", Text(cause),
                                "; start bitwrightd there, or name another with --server or BITWRIGHT_SERVER"),
                   {{"address", Text(address)}});
}

absl::Status ServerNotReadyError(std::string_view cause) {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kServerNotReady, cause);
}

absl::Status FileUnreadableError(const std::string& path, int error) {
  return MakeError(error == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kFailedPrecondition,
                   "FILE_UNREADABLE", absl::StrCat("'", path, "' cannot be read: ", std::strerror(error)),
                   {{"file", path}});
}

absl::Status FileUnwritableError(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return MakeError(full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kFailedPrecondition,
                   full ? Reason::kDiskFull : "FILE_UNWRITABLE",
                   absl::StrCat("'", path, "' cannot be written: ", std::strerror(error),
                                full ? "; make room on that disk and call again, what is there continues" : ""),
                   {{"file", path}});
}

absl::Status FileShrankError(const std::string& path, int64_t size_bytes) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "FILE_CHANGED",
                   absl::StrCat("'", path, "' became shorter than its ", size_bytes,
                                " bytes while it was read; let the program that writes it finish, then call again"),
                   {{"file", path}});
}

absl::Status ForeignStatusError(std::string_view address, const absl::Status& status, std::string_view reason) {
  const Meaning& meaning = MeaningOf(status.code());
  const std::string said = status.message().empty() ? "" : absl::StrCat(" (", std::string(status.message()), ")");
  return MakeError(status.code() == absl::StatusCode::kCancelled ? absl::StatusCode::kAborted : status.code(),
                   reason.empty() ? meaning.reason : reason,
                   absl::StrCat("the server", address.empty() ? "" : " at ", Text(address), " ", meaning.what, said,
                                "; ", meaning.remedy),
                   {{"address", Text(address)}});
}

absl::Status DisplayNameInvalidError(std::string_view option, std::string_view text, std::string_view why) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "DISPLAY_NAME_INVALID",
      absl::StrCat(Text(option), " '", Text(text.substr(0, 200)), "' ", Text(why), "; give at most 128 bytes of UTF-8"),
      {{"option", Text(option)}});
}

absl::Status ModelDirInvalidError(const std::string& dir, std::string_view what, std::string_view remedy) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_DIR_INVALID",
                   absl::StrCat("'", dir, "' is not a model folder: ", Text(what), "; ", Text(remedy)), {{"dir", dir}});
}

absl::Status ModelLinkBrokenError(const std::string& link, std::string_view target, bool folder) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MODEL_LINK_BROKEN",
                   absl::StrCat("'", Text(link), "' is a symbolic link to '", Text(target), "', which ",
                                folder ? "is a folder, not a file" : "is not there",
                                "; download the model again, or put the file in the link's place"),
                   {{"file", Text(link)}});
}

absl::Status ModelRejectedError() {
  return MakeError(absl::StatusCode::kInternal, "MODEL_REJECTED",
                   "the server rejected the model without a reason; look at its log");
}

absl::Status RecipeFileInvalidError(const std::string& path, std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "RECIPE_INVALID",
                   absl::StrCat("recipe file '", path, "' is not a bitwright.v1.Recipe in text format: ", Text(what),
                                "; `bitwright recipe show mixed-gptq` prints one"),
                   {{"file", path}});
}

absl::Status DownloadCorruptError(const std::string& path, const BlobDigest& digest) {
  return MakeError(absl::StatusCode::kDataLoss, "BLOB_DIGEST_MISMATCH",
                   absl::StrCat("what arrived for '", path, "' does not have the digest ", digest.ToString(),
                                "; it was dropped: call again, and if it happens again check disk and network"),
                   {{"file", path}, {"digest", digest.ToString()}});
}

absl::Status JobNotFinishedError(std::string_view job, std::string_view state) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "JOB_UNFINISHED",
                   absl::StrCat(Text(job), " has no artifact: it is ", Text(state),
                                "; wait for it with `bitwright job watch ", Text(job), "`"),
                   {{"job", Text(job)}});
}

absl::Status JobCancelledError(std::string_view job) {
  return MakeError(absl::StatusCode::kCancelled, "JOB_CANCELLED", absl::StrCat(Text(job), " was cancelled"),
                   {{"job", Text(job)}});
}

absl::Status ModelPathNotUtf8Error(const std::string& path) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MANIFEST_PATH_INVALID",
                   absl::StrCat("the name of the model's file '", path, "' is not UTF-8; rename the file"),
                   {{"path", path}});
}

absl::Status TokenizerMissingError(const std::string& dir) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "TOKENIZER_MISSING",
      absl::StrCat(
          "'", dir,
          "' has no tokenizer.json or tokenizer.model, which text needs; download or convert the tokenizer, or give "
          "files of token ids (*.ids.jsonl)"),
      {{"dir", dir}, {"file", "tokenizer.json"}});
}

absl::Status JobFailedError() {
  return MakeError(absl::StatusCode::kInternal, "JOB_FAILED",
                   "the job failed, and the server gave no reason; look at its log");
}

}  // namespace bitwright::client

#pragma once

namespace bitwright {

// Reasons of errors (google.rpc.ErrorInfo) that code acts on, not people alone. The constructor of the error and
// whoever looks for it name the constant; all other reasons are named by their constructors only.
struct Reason {
  static constexpr char kBlobMissing[] = "BLOB_MISSING";         // upload the blob and call again
  static constexpr char kBlobUnreadable[] = "BLOB_UNREADABLE";   // a fault of the server's disk
  static constexpr char kDiskFull[] = "DISK_FULL";               // room is needed on some disk
  static constexpr char kInterrupted[] = "INTERRUPTED";          // by a person or a shutdown; made in proto/base
  static constexpr char kOutOfMemory[] = "OUT_OF_MEMORY";        // a task needs more than its worker has
  static constexpr char kResultTooLarge[] = "RESULT_TOO_LARGE";  // of a task: no message to the server holds it
  static constexpr char kServerNotReady[] = "SERVER_NOT_READY";  // ask again; made by the client
  static constexpr char kStoreFailed[] = "STORE_FAILED";         // a fault of the server's database
  static constexpr char kStreamEnded[] = "STREAM_ENDED";         // before its end: the next attempt goes on from there
  static constexpr char kWorkerUnknown[] = "WORKER_UNKNOWN";     // register again
};

}  // namespace bitwright

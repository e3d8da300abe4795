#pragma once

namespace bitwright {

// Reasons of errors (google.rpc.ErrorInfo) that code acts on, not people alone. The constructor of the error and
// whoever looks for it name the constant; all other reasons are named by their constructors only.
struct Reason {
  static constexpr char kBlobMissing[] = "BLOB_MISSING";         // upload the blob and call again
  static constexpr char kBlobNotFound[] = "BLOB_NOT_FOUND";      // it is not there, or no longer
  static constexpr char kBlobUnreadable[] = "BLOB_UNREADABLE";   // a fault of the server's disk
  static constexpr char kDeviceFailed[] = "DEVICE_FAILED";       // a worker's graphics processor did
  static constexpr char kDiskFull[] = "DISK_FULL";               // room is needed on some disk
  static constexpr char kInterrupted[] = "INTERRUPTED";          // by a person or a shutdown; made in proto/base
  static constexpr char kLeaseExpired[] = "LEASE_EXPIRED";       // the worker was not heard of
  static constexpr char kLaneFull[] = "LANE_FULL";               // the server is busy: try again
  static constexpr char kOutOfMemory[] = "OUT_OF_MEMORY";        // a task needs more than its worker has
  static constexpr char kQuotaExceeded[] = "QUOTA_EXCEEDED";     // the tenant has what it may have
  static constexpr char kResultTooLarge[] = "RESULT_TOO_LARGE";  // of a task: no message to the server holds it
  static constexpr char kServerNotReady[] = "SERVER_NOT_READY";  // ask again; made by the client
  static constexpr char kStoreFailed[] = "STORE_FAILED";         // a fault of the server's database
  static constexpr char kStreamEnded[] = "STREAM_ENDED";         // before its end: the next attempt goes on from there
  static constexpr char kTaskOutputInvalid[] = "TASK_OUTPUT_INVALID";  // a worker handed in what it must not
  static constexpr char kTaskOutputMissing[] = "TASK_OUTPUT_MISSING";  // likewise
  static constexpr char kWorkDirInUse[] = "WORK_DIR_IN_USE";           // by another worker: take another folder
  static constexpr char kWorkerDrained[] = "WORKER_DRAINED";           // finish what runs, and leave
  static constexpr char kWorkerUnknown[] = "WORKER_UNKNOWN";           // register again
  static constexpr char kUploadsFull[] = "UPLOADS_FULL";               // too many at once: try again
};

}  // namespace bitwright

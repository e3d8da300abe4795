#pragma once

#include "server/store/store.h"

namespace bitwright::server {

// What can happen to a task.
enum class TaskEvent {
  kSourcesDone,      // every task that it reads from is DONE
  kLeased,           // given to a worker
  kFoundInCache,     // an equal task ran before
  kCompleted,        // its worker's result was accepted
  kReleased,         // its lease ended without a result; another attempt may follow
  kFailed,           // by its own fault, or after the last attempt
  kOwnerEnded,       // the job or model ended without it
  kServerRestarted,  // read back from the store
  kOutputLost,       // what it made is there no more, or is not what it should be
  kSourceLost,       // that happened to a task that it reads from
};

//   state      sources  leased  in     completed  released  failed  owner      restarted  output   source
//              done             cache                               ended                 lost     lost
//   WAITING    READY    –       –      –          –         –       CANCELLED  WAITING    –        WAITING
//   READY      READY    LEASED  DONE   –          –         –       CANCELLED  WAITING    –        WAITING
//   LEASED     –        –       –      DONE       READY     FAILED  CANCELLED  LEASED     –        –
//   DONE       –        –       –      –          –         –       DONE       DONE       WAITING  –
//   FAILED     –        –       –      –          –         –       FAILED     WAITING    –        –
//   CANCELLED  –        –       –      –          –         –       CANCELLED  WAITING    –        –
// "–": our own bug; ends the process. After a restart of the server what a task waits for is found out anew.
TaskState NextTaskState(TaskState state, TaskEvent event);

// The only function that changes a task's state. The row of a task that the store knows is changed as a copy, written,
// and then given to TaskBoard::SetRow.
void MoveTask(TaskRow& row, TaskEvent event);

}  // namespace bitwright::server

// Stands before protobuf's own header where ThreadSanitizer is on: that one would give map fields two members more than
// they have in the distribution's library, which is built without the sanitizer.
#pragma push_macro("__SANITIZE_THREAD__")
#undef __SANITIZE_THREAD__
#include_next <google/protobuf/map_field.h>
#pragma pop_macro("__SANITIZE_THREAD__")

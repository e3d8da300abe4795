#pragma once

// BITWRIGHT_VECTOR_CLONES before a function: it is compiled for AVX-512, AVX2 and the baseline, and the widest set that
// the machine has is chosen when the program starts. For plain loops that the compiler vectorizes.
//
// The build never contracts a·b + c and such loops keep one sum per lane, so every clone gives the same bits: these
// functions are their own scalar reference.
//
// Not with ThreadSanitizer: the choice is made while the program is loaded, before there is a sanitizer to call.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define BITWRIGHT_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BITWRIGHT_VECTOR_CLONES
#endif

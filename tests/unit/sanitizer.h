/* HAS_SANITIZER: the allocator and the signals are the sanitizer's, not the test's. */
#ifndef TESTS_UNIT_SANITIZER_H
#define TESTS_UNIT_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#endif

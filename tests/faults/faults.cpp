// Loaded before the C library (LD_PRELOAD), makes one call of a function fail: MLA_FAULT is "read:3:5" for EIO (5) from the
// third read of a file; "malloc:3:12" makes the third allocation fail, "mallocs:3:12" all from there on. MLA_FAULT_CALLS is a
// file that gets the number of calls there were.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Fault {
  char function[16] = "";
  long number = 0;
  int error = 0;

  Fault() {
    const char* const text = std::getenv("MLA_FAULT");
    if (text == nullptr || std::sscanf(text, "%15[a-z]:%ld:%d", function, &number, &error) != 3)
      function[0] = '\0';
  }
};

std::atomic<long> calls{0};

/// Whether this call of `function` is to fail; errno is set then.
bool fails(const char* function) {
  static const Fault fault;
  if (std::strcmp(fault.function, function) != 0) return false;
  if (calls.fetch_add(1) + 1 != fault.number) return false;
  errno = fault.error;
  return true;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// The standard streams are not what is tested.
bool is_other(int descriptor) {
  return descriptor > STDERR_FILENO;
}

// Allocations are counted from where the program has its handlers of signals: before main begins there is nobody to tell.
std::atomic<bool> started{false};

/// Whether this allocation is to fail.
bool has_no_memory() {
  if (!started.load(std::memory_order_relaxed)) return false;
  static const Fault fault;
  if (std::strncmp(fault.function, "malloc", 6) != 0) return false;
  const long number = calls.fetch_add(1) + 1;
  const bool from_there_on = fault.function[6] == 's';
  if (fault.number == 0 || (from_there_on ? number < fault.number : number != fault.number)) return false;
  errno = fault.error;
  return true;
}

struct Report {
  ~Report() {
    started = false;
    const char* const name = std::getenv("MLA_FAULT_CALLS");
    if (name == nullptr) return;
    if (std::FILE* const file = std::fopen(name, "w")) {
      std::fprintf(file, "%ld\n", calls.load());
      std::fclose(file);
    }
  }
} report;

}  // namespace

// glibc's own, under their other names: looking for them would allocate.
extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_realloc(void* memory, size_t size);
extern "C" void* __libc_memalign(size_t alignment, size_t size);

extern "C" {

void* malloc(size_t size) {
  return has_no_memory() ? nullptr : __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  return has_no_memory() ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  return has_no_memory() ? nullptr : __libc_realloc(memory, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return has_no_memory() ? nullptr : __libc_memalign(alignment, size);
}

using Handler = void (*)(int);

Handler signal(int number, Handler handler) noexcept {
  static auto* const original = next<Handler(int, Handler)>("signal");
  started = true;
  return original(number, handler);
}

ssize_t read(int descriptor, void* buffer, size_t count) {
  static auto* const original = next<ssize_t(int, void*, size_t)>("read");
  if (is_other(descriptor) && fails("read")) return -1;
  return original(descriptor, buffer, count);
}

ssize_t write(int descriptor, const void* buffer, size_t count) {
  static auto* const original = next<ssize_t(int, const void*, size_t)>("write");
  if (is_other(descriptor) && fails("write")) return -1;
  return original(descriptor, buffer, count);
}

void* mmap(void* address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  static auto* const original = next<void*(void*, size_t, int, int, int, off_t)>("mmap");
  if (is_other(descriptor) && fails("mmap")) return MAP_FAILED;
  if (descriptor < 0 && fails("anonymous")) return MAP_FAILED;
  return original(address, length, protection, flags, descriptor, offset);
}

int open(const char* path, int flags, ...) {
  static auto* const original = next<int(const char*, int, ...)>("open");
  std::va_list more;
  va_start(more, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(more, int) : 0;
  va_end(more);
  if (fails("open")) return -1;
  return original(path, flags, mode);
}

int fstat(int descriptor, struct stat* info) {
  static auto* const original = next<int(int, struct stat*)>("fstat");
  if (is_other(descriptor) && fails("fstat")) return -1;
  return original(descriptor, info);
}

int fsync(int descriptor) {
  static auto* const original = next<int(int)>("fsync");
  if (fails("fsync")) return -1;
  return original(descriptor);
}

int rename(const char* from, const char* to) {
  static auto* const original = next<int(const char*, const char*)>("rename");
  if (fails("rename")) return -1;
  return original(from, to);
}

}  // extern "C"

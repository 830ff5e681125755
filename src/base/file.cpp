#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/poison.h"
#include "base/round_up.h"
#include "mla/error.h"

namespace mla {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::io, path.string(), "", what + ": " + std::strerror(errno));
}

/// An open file descriptor, closed when it goes out of scope.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

struct OpenFile {
  Descriptor descriptor;
  std::size_t size;
};

/// Opens a regular file for reading and tells its size. O_NONBLOCK keeps a FIFO from blocking before it is
/// refused.
OpenFile open_regular(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail(path, "cannot open");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail(path, "cannot stat");
  if (!S_ISREG(info.st_mode))
    throw Error(ErrorCode::io, path.string(), "",
                S_ISDIR(info.st_mode) ? "found a directory, expected a file" : "not a regular file");
  return {std::move(file), static_cast<std::size_t>(info.st_size)};
}

/// A mapped file, for mapped_file_at. `name` is taken first and given up last; `begin` is set while the rest holds.
struct MappedRange {
  std::atomic<const char*> name{nullptr};
  std::atomic<const std::byte*> begin{nullptr};
  std::atomic<std::size_t> size{0};
};

// Files beyond these are mapped as well; only a fault in one of them cannot be explained.
std::array<MappedRange, 1024> mapped_ranges{};

void remember_mapping(const char* name, const std::byte* begin, std::size_t size) {
  for (MappedRange& range : mapped_ranges) {
    const char* empty = nullptr;
    if (!range.name.compare_exchange_strong(empty, name)) continue;
    range.size = size;
    range.begin = begin;
    return;
  }
}

void forget_mapping(const std::byte* begin) {
  for (MappedRange& range : mapped_ranges) {
    if (range.begin != begin) continue;
    range.begin = nullptr;
    range.name = nullptr;
    return;
  }
}

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

/// What a mapping of `size` bytes has behind them: zeros that belong to no file.
std::size_t rest_of_page(std::size_t size) {
  return round_up(size, page_size()) - size;
}

// Names of the temporary files that exist, for remove_temporary_files: a signal handler can follow nothing but plain
// pointers. A file for which there is no slot is left behind if the process is interrupted.
std::array<std::atomic<const char*>, 16> temporary_files{};

void remember(const char* name) {
  for (std::atomic<const char*>& slot : temporary_files) {
    const char* empty = nullptr;
    if (slot.compare_exchange_strong(empty, name)) return;
  }
}

void forget(const char* name) {
  for (std::atomic<const char*>& slot : temporary_files) {
    const char* expected = name;
    if (slot.compare_exchange_strong(expected, nullptr)) return;
  }
}

}  // namespace

bool is_present(const std::filesystem::path& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::string read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  FileReader file(path, max_bytes);
  std::string content(file.size(), '\0');
  content.resize(file.read(content));
  return content;
}

FileReader::FileReader(const std::filesystem::path& path, std::size_t max_bytes) : path_(path) {
  OpenFile file = open_regular(path);
  if (file.size > max_bytes) {
    throw Error(
        ErrorCode::limit, path.string(), "",
        "found " + std::to_string(file.size) + " bytes, expected at most " + std::to_string(max_bytes));
  }
  size_ = file.size;
  descriptor_ = file.descriptor.release();
}

FileReader::~FileReader() {
  ::close(descriptor_);
}

std::size_t FileReader::read(std::span<char> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = ::read(descriptor_, buffer.data() + done, buffer.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const OpenFile file = open_regular(path);
  size_ = file.size;
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.descriptor.get(), 0);
  if (address == MAP_FAILED) fail(path, "cannot map");
  data_ = static_cast<const std::byte*>(address);
  remember_mapping(path_.c_str(), data_, size_);
  poison(data_ + size_, rest_of_page(size_));
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  forget_mapping(data_);
  unpoison(data_ + size_, rest_of_page(size_));
  ::munmap(const_cast<std::byte*>(data_), size_);
}

const char* mapped_file_at(const void* address) noexcept {
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  for (const MappedRange& range : mapped_ranges) {
    const auto begin = reinterpret_cast<std::uintptr_t>(range.begin.load());
    if (begin != 0 && place >= begin && place - begin < range.size) return range.name;
  }
  return nullptr;
}

void release_pages(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return;
  const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes.data()) % page_size();
  void* begin = const_cast<std::byte*>(bytes.data() - before);
  ::madvise(begin, before + bytes.size(), MADV_DONTNEED);  // Advice: it may be refused.
}

void remove_temporary_files() noexcept {
  for (const std::atomic<const char*>& slot : temporary_files)
    if (const char* name = slot.load(); name != nullptr) ::unlink(name);
}

AtomicFile::AtomicFile(const std::filesystem::path& path) {
  if (path.empty()) throw Error(ErrorCode::io, "", "", "found an empty file name, expected one to write to");
  // Through links to the file itself: rename would replace the link (think of /dev/stdout).
  std::error_code unresolved;
  path_ = std::filesystem::weakly_canonical(path, unresolved);
  if (unresolved) path_ = path;
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    throw Error(ErrorCode::io, path.string(), "", "not a regular file, expected one that can be replaced");
  // O_EXCL and not mkstemp: the file gets the permissions that the user's umask gives new files.
  for (int attempt = 0;; ++attempt) {
    temporary_ = path_;
    temporary_ += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
    // Before the file exists: an interruption right after its creation must find the name. No other running process
    // uses it, since it has our number.
    remember(temporary_.c_str());
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) return;
    forget(temporary_.c_str());
    if (errno != EEXIST) fail(path, "cannot create a temporary file beside it");
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
  forget(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    const char* const source = put < 0 && errno == EFAULT ? mapped_file_at(bytes.data()) : nullptr;
    if (source != nullptr)
      throw Error(ErrorCode::io, source, "", "cannot be read any more: has it become shorter?");
    if (put < 0) fail(path_, "cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    written_ += static_cast<std::size_t>(put);
    push_to_disk();
  }
}

/// Sends what is written on its way piece by piece, and waits for the piece before. Otherwise all of it would wait for `commit`,
/// and a process that waits for its disk cannot be interrupted.
void AtomicFile::push_to_disk() noexcept {
  constexpr std::size_t kPiece = std::size_t{8} << 20;
  if (written_ - pushed_ < kPiece) return;
  const auto push = [&](std::size_t begin, std::size_t size, unsigned how) {
    ::sync_file_range(descriptor_, static_cast<off_t>(begin), static_cast<off_t>(size), how);
  };
  // Advice: what goes wrong here is told by fsync.
  const std::size_t before = std::min(pushed_, kPiece);
  if (before > 0)
    push(pushed_ - before, before,
         SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  push(pushed_, written_ - pushed_, SYNC_FILE_RANGE_WRITE);
  pushed_ = written_;
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(path_, "cannot flush to disk");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "cannot rename the temporary file to it");
  forget(temporary_.c_str());
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace mla

// Files: read whole, mapped read-only, or written atomically.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace mla {

/// Whether something is at `path`. A link to nothing is: opening it tells what is wrong.
bool is_present(const std::filesystem::path& path) noexcept;

/// The content of a regular file of at most `max_bytes`. Throws Error(io): missing, not a regular file,
/// unreadable; Error(limit): larger.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes);

/// A regular file that is read from its beginning in pieces.
class FileReader {
 public:
  /// Throws Error(io): missing, not a regular file; Error(limit): more than `max_bytes`.
  explicit FileReader(const std::filesystem::path& path, std::size_t max_bytes = SIZE_MAX);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  std::size_t size() const { return size_; }  ///< When it was opened.

  /// Fills `buffer` as far as there is more of the file; returns how far. Throws Error(io).
  std::size_t read(std::span<char> buffer);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::size_t size_ = 0;
};

/// A regular file mapped read-only for as long as the object lives. Pages are read when touched; nothing is
/// copied.
class MappedFile {
 public:
  /// Throws Error(io) if the file is missing, not a regular file or cannot be mapped. An empty file maps to
  /// no bytes.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The name of the living MappedFile that `address` is in, or nothing: for a signal handler. What lies behind the end of a file
/// that became shorter since it was mapped, or cannot be read from the disk, raises SIGBUS when it is touched.
const char* mapped_file_at(const void* address) noexcept;

/// Gives back the memory of the pages that hold `bytes` of a mapped file: they are read again when touched.
void release_pages(std::span<const std::byte> bytes) noexcept;

/// Removes the temporary files of all AtomicFiles that live: for a signal handler that is about to end the process.
void remove_temporary_files() noexcept;

/// Writes into a temporary file beside `path`; `commit` flushes it to disk and renames it to `path` in one
/// step. Until then `path` is untouched; an object destroyed uncommitted removes its temporary file.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  void push_to_disk() noexcept;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::size_t written_ = 0;
  std::size_t pushed_ = 0;  ///< How far what is written has been sent on its way to the disk.
};

}  // namespace mla

#include "base/file.h"

#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cstring>
#include <string>
#include <string_view>

#include "scratch_folder.h"
#include "thrown.h"

using namespace mla;

namespace {

std::string text_of(std::span<const std::byte> bytes) {
  std::string text(bytes.size(), '\0');
  if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

TEST_CASE("read_file gives all bytes of a file, up to the limit") {
  const ScratchFolder folder;
  const std::string content("a\0b\r\n\xff", 6);
  const std::filesystem::path path = folder.write("a", content);
  CHECK(read_file(path, 1000) == content);
  CHECK(read_file(path, 6) == content);
  const Error error = thrown_by([&] { read_file(path, 5); });
  CHECK(error.code() == ErrorCode::limit);
  CHECK(std::string(error.what()) == path.string() + ": found 6 bytes, expected at most 5");
  CHECK(read_file(folder.write("empty", ""), 0).empty());
}

TEST_CASE("a mapped file shows all bytes and follows its object") {
  const ScratchFolder folder;
  std::string content(3 * 4096 + 5, 'x');
  content.front() = 'a';
  content.back() = 'z';
  const MappedFile file(folder.write("a", content));
  CHECK(file.bytes().size() == content.size());
  CHECK(text_of(file.bytes()) == content);
  CHECK(file.path() == folder.path() / "a");
}

TEST_CASE("an empty file maps to no bytes") {
  const ScratchFolder folder;
  CHECK(MappedFile(folder.write("empty", "")).bytes().empty());
}

TEST_CASE("what is not a regular file is neither read nor mapped nor waited for") {
  const ScratchFolder folder;
  const std::filesystem::path fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const std::filesystem::path& path :
       {folder.path() / "none", folder.path(), fifo, std::filesystem::path("/dev/null")}) {
    INFO(path);
    for (const Error& error :
         {thrown_by([&] { read_file(path, 1000); }), thrown_by([&] { const MappedFile file(path); })}) {
      CHECK(error.code() == ErrorCode::io);
      CHECK(error.file() == path.string());
    }
  }
  CHECK_THAT(thrown_by([&] { read_file(folder.path(), 9); }).what(), Catch::Contains("directory"));
  CHECK_THAT(thrown_by([&] { read_file(folder.path() / "none", 9); }).what(),
             Catch::Contains("No such file"));
}

TEST_CASE("an atomic file appears with commit and leaves nothing beside it") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "out";
  {
    AtomicFile file(path);
    file.write(bytes_of("one "));
    file.write(bytes_of(""));
    file.write(bytes_of("two"));
    CHECK_FALSE(std::filesystem::exists(path));
    file.commit();
    CHECK(read_file(path, 100) == "one two");
    CHECK(folder.entries() == 1);
  }
  CHECK(read_file(path, 100) == "one two");
  CHECK(folder.entries() == 1);
}

TEST_CASE("an atomic file that goes to the disk in pieces is whole") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "out";
  std::string content(std::size_t{5} << 20, 'a');
  std::string all;
  AtomicFile file(path);
  for (const char letter : {'a', 'b', 'c', 'd', 'e'}) {
    content.assign(content.size(), letter);
    file.write(bytes_of(content));
    all += content;
  }
  file.commit();
  CHECK((read_file(path, all.size()) == all));
}

TEST_CASE("an atomic file that is abandoned leaves what was there") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.write("out", "old");
  {
    AtomicFile file(path);
    file.write(bytes_of("new"));
    CHECK(folder.entries() == 2);
    CHECK(read_file(path, 100) == "old");
  }
  CHECK(read_file(path, 100) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("an atomic file replaces what was there") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.write("out", "something old and longer");
  AtomicFile file(path);
  file.write(bytes_of("new"));
  file.commit();
  CHECK(read_file(path, 100) == "new");
  CHECK(folder.entries() == 1);
}

TEST_CASE("two atomic files of one path do not meet, the last commit counts") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "out";
  AtomicFile first(path);
  AtomicFile second(path);
  first.write(bytes_of("first"));
  second.write(bytes_of("second"));
  second.commit();
  CHECK(read_file(path, 100) == "second");
  first.commit();
  CHECK(read_file(path, 100) == "first");
  CHECK(folder.entries() == 1);
}

TEST_CASE("an atomic file is refused where it could never be committed") {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder.path() / "folder");
  for (const std::filesystem::path& path : {folder.path() / "folder", folder.path() / "none" / "out"}) {
    const Error error = thrown_by([&] { const AtomicFile file(path); });
    CHECK(error.code() == ErrorCode::io);
    CHECK(error.file() == path.string());
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("an atomic file whose commit fails leaves nothing beside it") {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "out";
  {
    AtomicFile file(path);
    std::filesystem::create_directory(path);  // Comes between: a file cannot be renamed to a folder.
    CHECK(thrown_by([&] { file.commit(); }).code() == ErrorCode::io);
  }
  CHECK(folder.entries() == 1);
}

TEST_CASE("a file is read in pieces") {
  const ScratchFolder folder;
  FileReader file(folder.write("a", "abcdefgh"));
  CHECK(file.size() == 8);
  std::string buffer(5, ' ');
  CHECK(file.read(buffer) == 5);
  CHECK(buffer == "abcde");
  CHECK(file.read(buffer) == 3);
  CHECK(buffer.substr(0, 3) == "fgh");
  CHECK(file.read(buffer) == 0);
  CHECK(thrown_by([&] { FileReader(folder.path()); }).code() == ErrorCode::io);
}

TEST_CASE("a link to nothing is present") {
  const ScratchFolder folder;
  CHECK_FALSE(is_present(folder.path() / "link"));
  std::filesystem::create_symlink("nothing", folder.path() / "link");
  CHECK(is_present(folder.path() / "link"));
  CHECK(is_present(folder.path()));
}

TEST_CASE("the file of an address is known while it is mapped") {
  const ScratchFolder folder;
  const std::filesystem::path first = folder.write("a", std::string(10000, 'a'));
  const std::filesystem::path second = folder.write("b", "b");
  const std::byte* address = nullptr;
  {
    const MappedFile a(first);
    const MappedFile b(second);
    address = a.bytes().data();
    CHECK(mapped_file_at(address) == first.string());
    CHECK(mapped_file_at(address + 9999) == first.string());
    CHECK(mapped_file_at(b.bytes().data()) == second.string());
    CHECK(mapped_file_at(&address) == nullptr);
  }
  CHECK(mapped_file_at(address) == nullptr);
}

TEST_CASE("writing from a mapped file that has become shorter names that file") {
  const ScratchFolder folder;
  const std::filesystem::path source = folder.write("source", std::string(100'000, 'a'));
  const MappedFile mapped(source);
  std::filesystem::resize_file(source, 0);
  AtomicFile target(folder.path() / "target");
  const Error error = thrown_by([&] { target.write(mapped.bytes()); });
  CHECK(error.file() == source.string());
  CHECK(error.code() == ErrorCode::io);
}

// What a folder with a model brings along.
#include "model/model_source.h"

#include <catch2/catch.hpp>

#include <string>

#include "unit/base/thrown.h"
#include "unit/formats/format_files.h"
#include "unit/model/checkpoint_copy.h"

using format_files::Folder;

namespace {

struct ModelFolder {
  ModelFolder() { checkpoint_copy::Copy("llama_mha").write(folder); }

  mla::ModelSource with(const std::string& name, const std::string& content) const {
    folder.write(name, content);
    return mla::open_model(folder.path());
  }

  Folder folder;
};

}  // namespace

TEST_CASE("model source: a chat template lies in a file of its own or in the tokenizer's config", "[model]") {
  CHECK_FALSE(mla::open_model(ModelFolder().folder.path()).chat_template);
  CHECK(ModelFolder().with("chat_template.jinja", "{{ messages }}").chat_template);
  CHECK_FALSE(ModelFolder().with("tokenizer_config.json", "{}").chat_template);
  CHECK(ModelFolder().with("tokenizer_config.json", R"({"chat_template": "{{ messages }}"})").chat_template);
  CHECK(ModelFolder()
            .with("tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "x"}]})")
            .chat_template);
}

TEST_CASE("model source: a chat template that is none names its field", "[model]") {
  const auto field_of = [](const std::string& content) {
    const mla::Error error = thrown_by(
        [&] { ModelFolder().with("tokenizer_config.json", R"({"chat_template": )" + content + "}"); });
    CHECK(error.file().ends_with("tokenizer_config.json"));
    return error.field();
  };
  CHECK(field_of("7") == "chat_template");
  CHECK(field_of("[7]") == "chat_template[0]");
  CHECK(field_of(R"([{"name": "default"}])") == "chat_template[0].template");
  CHECK(field_of(R"([{"template": "x"}])") == "chat_template[0].name");
}

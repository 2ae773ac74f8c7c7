#include "api/compat_files.hpp"

#include "api/testing_fake.hpp"
#include "sandbox/zip_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gantry::api {
namespace {

using net::http::FormPart;
using sandbox::zip::zip_of;
using testing::ElementsAre;
using testing::HasSubstr;

FormPart file(std::string_view name, std::string_view content) {
  return {.name = "files", .file_name = std::string{name}, .content = content};
}

std::string refusal(const std::vector<FormPart>& parts) {
  auto attached = attach(parts);
  return attached ? "none" : attached.error().message;
}

std::vector<std::string> paths_in(const Attachments& attached) {
  std::vector<std::string> paths;
  for (const auto& one : attached.files) paths.push_back(one.path);
  return paths;
}

TEST(AttachmentsTest, FilesLieInTheirFolderUnderSafeNames) {
  auto attached = attach({file("data.csv", "a,b"), file("../my notes.TXT", "x")}).value();
  EXPECT_THAT(paths_in(attached), ElementsAre("files/data.csv", "files/my_notes.TXT"));
  EXPECT_THAT(attached.names, ElementsAre("data.csv", "my_notes.TXT"));
  EXPECT_EQ(attached.bytes, 4U);
}

TEST(AttachmentsTest, OtherFieldsAndEmptyNamesAreNoFiles) {
  FormPart field{.name = "files", .file_name = {}, .content = "x"};
  FormPart other{.name = "more", .file_name = "a.txt", .content = "x"};
  EXPECT_TRUE(attach({field, other, file("", "")})->names.empty());
}

TEST(AttachmentsTest, TheSameNameAgainReplacesTheFile) {
  auto attached = attach({file("a.txt", "first"), file("a.txt", "2")}).value();
  EXPECT_THAT(attached.names, ElementsAre("a.txt"));
  EXPECT_EQ(attached.files.at(0).content, "2");
  EXPECT_EQ(attached.bytes, 1U);
}

TEST(AttachmentsTest, OnlyKnownExtensionsPass) {
  for (const auto* name : {"a.py", "A.JSON", "x.dockerfile", "b.tar.conf"}) {
    EXPECT_TRUE(may_be_attached(name)) << name;
  }
  for (const auto* name : {"a.exe", "a", "Dockerfile", "a.py.so", "a.", ".zip"}) {
    EXPECT_FALSE(may_be_attached(name)) << name;
  }
  EXPECT_EQ(refusal({file("a.exe", "")}), "Failed to process file: a.exe");
  EXPECT_EQ(refusal({file("...", "")}), "Failed to process file: ...");
}

TEST(AttachmentsTest, SizesAreBoundedInTheOriginsWords) {
  std::string ten(10U << 20U, 'x');
  EXPECT_EQ(refusal({file("a.txt", ten)}), "none");
  EXPECT_EQ(refusal({file("a.txt", ten + "x")}), "File a.txt exceeds maximum size limit of 10MB");
  std::vector<FormPart> parts(5, file("a.txt", ten));
  EXPECT_EQ(refusal(parts), "none");
  parts.push_back(file("b.txt", "x"));
  EXPECT_EQ(refusal(parts), "Total file size exceeds maximum limit of 50MB");
}

TEST(AttachmentsTest, AnArchiveIsUnpacked) {
  auto archive = zip_of({{"src/main.py", "print(1)"}, {"data/", ""}, {"data/a.csv", "1"}});
  auto attached = attach({file("project.zip", archive), file("b.txt", "22")}).value();
  EXPECT_THAT(paths_in(attached),
              ElementsAre("files/src/main.py", "files/data/a.csv", "files/b.txt"));
  EXPECT_THAT(attached.names, ElementsAre("project.zip (ZIP - 2 files extracted)", "b.txt"));
  EXPECT_EQ(attached.bytes, 11U);
  ASSERT_EQ(attached.extractions.size(), 1U);
  EXPECT_EQ(attached.extractions[0].archive, "project.zip");
  EXPECT_THAT(attached.extractions[0].paths, ElementsAre("src/main.py", "data/a.csv"));
}

TEST(AttachmentsTest, ABadArchiveIsRefusedAsAWhole) {
  auto bad = [](const std::string& archive) { return refusal({file("x.zip", archive)}); };
  const std::string refused = "Failed to process file: x.zip";
  EXPECT_EQ(bad("no archive"), refused);
  EXPECT_EQ(bad(zip_of({{"ok.txt", ""}, {"../out.txt", ""}})), refused);
  EXPECT_EQ(bad(zip_of({{"tool.exe", "x"}})), refused);
  EXPECT_EQ(bad(zip_of({{"bomb.txt", std::string(5U << 20U, '\0')}})), refused);
  EXPECT_EQ(bad(zip_of({{"a.txt", "x"}, {"a.txt/b.txt", "x"}})), refused);
}

TEST(AttachmentsTest, ArchivesShareTheirBounds) {
  std::vector<sandbox::zip::ZipMember> members;
  for (int i = 0; i < 600; ++i) members.push_back({fmt::format("f{}.txt", i), "x"});
  auto archive = zip_of(members);
  EXPECT_EQ(refusal({file("a.zip", archive)}), "none");
  EXPECT_EQ(refusal({file("a.zip", archive), file("b.zip", archive)}),
            "Failed to process file: b.zip");
}

TEST(AttachmentsTest, AFileIsNoFolder) {
  auto archive = zip_of({{"a.txt/b.txt", "x"}});
  EXPECT_EQ(refusal({file("a.txt", ""), file("x.zip", archive)}), "Failed to process file: x.zip");
}

TEST(SecureFileNameTest, KeepsWhatEveryFilesystemTakes) {
  EXPECT_EQ(secure_file_name("My cool movie.mov"), "My_cool_movie.mov");
  EXPECT_EQ(secure_file_name("../../../etc/passwd"), "etc_passwd");
  EXPECT_EQ(secure_file_name(".hidden_"), "hidden");
  EXPECT_EQ(secure_file_name("a\nb  c.txt"), "a_b_c.txt");
  EXPECT_EQ(secure_file_name("данные.csv"), "csv");
  EXPECT_EQ(secure_file_name("/ .."), "");
}

TEST(WithOurFolderTest, ReplacesThePathAndNothingElse) {
  EXPECT_EQ(with_our_folder("cat /workspace/files/a.txt"), "cat /box/files/a.txt");
  EXPECT_EQ(with_our_folder("cd /workspace && X=/workspace;ls \"/workspace\""),
            "cd /box && X=/box;ls \"/box\"");
  for (const auto* same : {"ls /workspaces", "ls /mnt/workspace/a", "ls ./workspace",
                           "/workspace.d", "$HOME/workspace", "${D}/workspace", "workspace"}) {
    EXPECT_EQ(with_our_folder(same), same);
  }
}

class FormScriptTest : public testing::Test {
 protected:
  static std::string field(std::string_view disposition, std::string_view content) {
    return fmt::format("--b\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", disposition,
                       content);
  }
  net::http::Response execute(std::string_view fields) {
    return server_.send("POST", "/execute", fmt::format("{}--b--\r\n", fields),
                        {{"Content-Type", "multipart/form-data; boundary=b"}});
  }

  TestServer server_{{.anonymous_execute = AnonymousExecute::on_loopback}};
};

TEST_F(FormScriptTest, FilesComeToTheScriptAndAreTold) {
  auto archive = zip_of({{"d/b.txt", "22"}});
  auto answer =
      execute(field("name=\"script\"", "cat /workspace/files/a.txt") +
              field("name=\"stdin\"", "typed") + field("name=\"image\"", "python:3.11-alpine") +
              field("name=\"files\"; filename=\"a.txt\"", "1") +
              field("name=\"files\"; filename=\"c.zip\"", archive));
  EXPECT_EQ(answer.body, R"({"success":true,"stdout":"hello\n","stderr":"","exit_code":0,)"
                         R"("execution_time":0.0125,"error":null,)"
                         R"x("files_attached":["a.txt","c.zip (ZIP - 1 files extracted)"],)x"
                         R"("total_file_size":3,"zip_extractions":[{"zip_file":"c.zip",)"
                         R"("extracted_count":1,"extracted_files":["d/b.txt"]}]})");
  const auto& program = server_.sandbox().seen.at(0).program;
  EXPECT_THAT(program.command, ElementsAre("/bin/sh", "-c", "cat /box/files/a.txt"));
  EXPECT_EQ(program.input, "typed");
  EXPECT_EQ(program.image, "python:3.11-alpine");
  ASSERT_EQ(program.files.size(), 2U);
  EXPECT_EQ(program.files[1].path, "files/d/b.txt");
}

TEST_F(FormScriptTest, WithoutFilesTheAnswerHasItsSixFields) {
  auto answer = execute(field("name=script", "x") + field("name=files; filename=\"\"", ""));
  EXPECT_EQ(object_of(answer).size(), 6U);
}

TEST_F(FormScriptTest, RoomIsMadeForWhatIsAttached) {
  execute(field("name=script", "x") +
          field("name=files; filename=a.txt", std::string(1U << 20U, 'x')));
  const auto& policy = server_.sandbox().seen.at(0).policy;
  EXPECT_EQ(policy.tmpfs.count, sandbox::Policy{}.tmpfs.count + (1U << 20U));
  EXPECT_EQ(policy.memory.count, sandbox::Policy{}.memory.count + (1U << 20U));
}

TEST_F(FormScriptTest, MistakesKeepTheOriginsShape) {
  const std::string none = R"({"success":false,"error":"No script provided"})";
  EXPECT_EQ(execute("").body, none);
  EXPECT_EQ(execute(field("name=script", "")).body, none);
  EXPECT_EQ(execute(field("name=script; filename=x.sh", "ls")).body, none);
  auto bare = server_.send("POST", "/execute", "x", {{"Content-Type", "multipart/form-data"}});
  EXPECT_EQ(bare.head.status, 400U);
  EXPECT_EQ(bare.body, none);
  auto refused = execute(field("name=script", "x") + field("name=files; filename=a.exe", ""));
  EXPECT_EQ(refused.head.status, 400U);
  EXPECT_EQ(refused.body, R"({"success":false,"error":"Failed to process file: a.exe"})");
  auto broken = server_.send("POST", "/execute", "--b\r\nx",
                             {{"Content-Type", "multipart/form-data; boundary=b"}});
  EXPECT_EQ(broken.head.status, 400U);
  EXPECT_THAT(broken.body, HasSubstr("cannot read the multipart form"));
  EXPECT_TRUE(server_.sandbox().seen.empty());
}

}  // namespace
}  // namespace gantry::api

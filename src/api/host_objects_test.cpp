#include "api/testing_fake.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

// Images, volumes, networks and the disk of a host.
namespace gantry::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string base = "/api/v1/hosts/local";
const std::string image_id = std::string(63, 'a') + "1";

class HostObjectsTest : public testing::Test {
 protected:
  engine::FakeDaemon::Script& expect(std::string method, std::string_view target) {
    return server_.daemon().expect(std::move(method), target);
  }
  net::http::Response post(std::string_view path, std::string body) {
    return server_.ask("POST", base + std::string{path}, std::move(body));
  }
  void expect_uses(std::string answer) {
    expect("GET", "/containers/json?all=1").reply(200, std::move(answer));
  }
  void expect_image(std::string_view tags) {
    expect("GET", fmt::format("/images/sha256%3A{}/json", image_id))
        .reply(200, fmt::format(R"({{"Id":"sha256:{}","RepoTags":{},"Config":{{"Env":)"
                                R"(["DB_PASSWORD=hunter2","A=b"]}}}})",
                                image_id, tags));
  }
  std::vector<std::string> changes() {
    std::vector<std::string> out;
    for (const auto& request : server_.daemon().requests()) {
      if (!request.starts_with("GET")) out.push_back(request);
    }
    return out;
  }
  std::string audit() {
    server_.loop().run(server_.operations().close());
    return server_.ask("GET", "/api/v1/audit").body;
  }

  TestServer server_;
};

TEST_F(HostObjectsTest, AHostThatIsNotThereIsNotFound) {
  auto answer = server_.ask("GET", "/api/v1/hosts/nowhere/disk-usage");
  EXPECT_EQ(refusal_of(answer), "404 no_such_host");
}

TEST_F(HostObjectsTest, AnImageIsToldWithItsHistoryAndItsUsersAndNoSecret) {
  expect_image(R"(["web:1"])");
  expect("GET", fmt::format("/images/sha256%3A{}/history", image_id))
      .reply(200, R"([{"Id":"x","Created":1,"CreatedBy":"RUN make","Size":5}])");
  expect_uses(fmt::format(
      R"([{{"Id":"c1","Names":["/web"],"State":"running","ImageID":"sha256:{}"}}])", image_id));
  auto answer = server_.ask("GET", base + "/images/" + image_id);
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_THAT(answer.body, HasSubstr(R"("created_by":"RUN make")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("name":"web","state":"running")"));
  EXPECT_THAT(answer.body, Not(HasSubstr("hunter2")));
  EXPECT_THAT(answer.body, HasSubstr(R"("A=b")"));
}

TEST_F(HostObjectsTest, AnImageInUseIsNotRemovedAndItsUsersAreNamed) {
  expect_image(R"(["web:1"])");
  expect_uses(fmt::format(
      R"([{{"Id":"c1","Names":["/web"],"State":"exited","ImageID":"sha256:{}"}}])", image_id));
  auto answer = server_.ask("DELETE", base + "/images/" + image_id);
  EXPECT_EQ(refusal_of(answer), "409 image_in_use");
  EXPECT_THAT(answer.body, HasSubstr("container 'web' (exited) uses it"));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(HostObjectsTest, AnImageWithSeveralNamesLosesTheOneThatIsSaid) {
  expect_image(R"(["web:1","web:2"])");
  EXPECT_EQ(refusal_of(server_.ask("DELETE", base + "/images/" + image_id)), "409 image_has_names");
  expect_image(R"(["web:1","web:2"])");
  expect("DELETE", "/images/web%3A2").reply(200, R"([{"Untagged":"web:2"}])");
  auto answer = server_.ask("DELETE", base + "/images/" + image_id + "?name=web%3A2");
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_THAT(answer.body, HasSubstr(R"("untagged":["web:2"])"));
  expect_image(R"(["web:1"])");
  EXPECT_THAT(server_.ask("DELETE", base + "/images/" + image_id + "?name=other%3A1").body,
              HasSubstr("field 'name'"));
}

TEST_F(HostObjectsTest, WhatIsNoImagesIdIsNotFound) {
  EXPECT_EQ(refusal_of(server_.ask("GET", base + "/images/web")), "404 no_such_image");
}

TEST_F(HostObjectsTest, AnImageGetsAnotherName) {
  expect("POST", fmt::format("/images/sha256%3A{}/tag?repo=shop%2Fweb&tag=2", image_id))
      .reply(201, "");
  auto answer = post("/images/" + image_id + "/tag", R"({"reference":"shop/web:2"})");
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_THAT(answer.body, HasSubstr(R"("reference":"shop/web:2")"));
  EXPECT_THAT(post("/images/" + image_id + "/tag", R"({"reference":"No Name"})").body,
              HasSubstr("field 'reference'"));
  EXPECT_THAT(audit(), HasSubstr(R"("action":"image.tag")"));
}

TEST_F(HostObjectsTest, APullAnswersWithTheDigest) {
  expect("POST", "/images/create?fromImage=web&tag=1").stream(200, {"{\"status\":\"Pulling\"}\n"});
  expect("GET", "/images/web%3A1/json")
      .reply(200,
             fmt::format(R"({{"Id":"sha256:{0}","RepoDigests":["web@sha256:{0}"]}})", image_id));
  auto answer = post("/images/pull", R"({"reference":"web:1"})");
  EXPECT_EQ(answer.head.status, 200U);
  EXPECT_EQ(std::string{object_of(answer)["digest"].as_string()}, "sha256:" + image_id);
  EXPECT_THAT(audit(), HasSubstr(R"("action":"image.pull")"));
}

TEST_F(HostObjectsTest, APullTellsItsProgressAndItsEndAsEvents) {
  expect("POST", "/images/create?fromImage=web&tag=1")
      .stream(200,
              {R"({"status":"Downloading","id":"layer","progressDetail":{"current":5,"total":9}})"
               "\n"});
  expect("GET", "/images/web%3A1/json")
      .reply(200, fmt::format(R"({{"Id":"sha256:{}"}})", image_id));
  auto headers = server_.local();
  headers.set("Accept", "text/event-stream");
  auto told = server_.send("POST", base + "/images/pull", R"({"reference":"web:1"})", headers).body;
  EXPECT_THAT(told, HasSubstr("event: progress\ndata: {\"layer\":\"layer\",\"status\":"
                              "\"Downloading\",\"current_bytes\":5,\"total_bytes\":9}"));
  EXPECT_THAT(told, HasSubstr("event: done\ndata: {\"reference\":\"web:1\""));
}

TEST_F(HostObjectsTest, APullThatFailsEndsWithAnError) {
  expect("POST", "/images/create").stream(200, {"{\"error\":\"manifest unknown\"}\n"});
  auto headers = server_.local();
  headers.set("Accept", "text/event-stream");
  auto told = server_.send("POST", base + "/images/pull", R"({"reference":"web:9"})", headers).body;
  EXPECT_THAT(told, HasSubstr("event: error\ndata: {\"code\":\"engine_no_such_remote_image\""));
  EXPECT_THAT(post("/images/pull", R"({"reference":"-"})").body, HasSubstr("field 'reference'"));
}

TEST_F(HostObjectsTest, APruneRemovesOnlyWhatIsNamedAndWouldStillGo) {
  auto two = R"([{"Id":"sha256:1","Size":10},{"Id":"sha256:2","Size":20}])";
  expect_uses("[]");
  expect("GET", "/images/json?all=1").reply(200, two);
  auto preview = post("/images/prune", R"({"preview":true})");
  EXPECT_EQ(preview.head.status, 200U);
  EXPECT_EQ(object_of(preview)["size_bytes"], 30);
  EXPECT_THAT(changes(), IsEmpty());

  // Meanwhile the second is used.
  expect_uses(R"([{"Id":"c","ImageID":"sha256:2"}])");
  expect("GET", "/images/json?all=1").reply(200, two);
  expect("DELETE", "/images/sha256%3A1?noprune=1").reply(200, R"([{"Deleted":"sha256:1"}])");
  auto done = post("/images/prune", R"({"ids":["sha256:1","sha256:2"]})");
  EXPECT_EQ(done.head.status, 200U);
  EXPECT_EQ(object_of(done)["removed"], 1);
  EXPECT_THAT(done.body, HasSubstr(R"({"id":"sha256:1","ok":true})"));
  EXPECT_THAT(done.body, HasSubstr(R"("code":"not_prunable")"));
  EXPECT_THAT(changes(), ElementsAre("DELETE /v1.41/images/sha256%3A1?noprune=1"));
}

TEST_F(HostObjectsTest, APruneWithoutAPreviewIsRefused) {
  EXPECT_THAT(post("/images/prune", "{}").body, HasSubstr("field 'preview'"));
  EXPECT_THAT(post("/images/prune", R"({"preview":true,"ids":["a"]})").body,
              HasSubstr("field 'preview'"));
  EXPECT_THAT(post("/volumes/prune", R"({"preview":true,"which":"all"})").body,
              HasSubstr("must be 'anonymous' or 'unused'"));
  EXPECT_EQ(post("/networks/prune", R"({"preview":true,"which":"unused"})").head.status, 400U);
}

TEST_F(HostObjectsTest, AVolumeIsMadeAndToldWithoutItsPassword) {
  expect("GET", "/volumes/share").reply(404, R"({"message":"no such volume"})");
  expect("POST", "/volumes/create")
      .reply(201, R"({"Name":"share","Driver":"local","Options":{"type":"cifs",)"
                  R"("o":"username=u,password=hunter2"}})");
  auto made = post("/volumes", R"({"name":"share","options":{"type":"cifs","device":"//nas/x",)"
                               R"("o":"username=u,password=hunter2"}})");
  EXPECT_EQ(made.head.status, 201U);
  EXPECT_THAT(made.body, HasSubstr("username=u,password=********"));
  auto log = audit();
  EXPECT_THAT(log, HasSubstr(R"("action":"volume.create")"));
  EXPECT_THAT(log, Not(HasSubstr("hunter2")));
}

TEST_F(HostObjectsTest, AVolumeIsNoWayToTheHostsFiles) {
  auto refused = [this](std::string_view options) {
    return post("/volumes", fmt::format(R"({{"name":"v","options":{}}})", options)).body;
  };
  EXPECT_THAT(refused(R"({"type":"none","o":"bind","device":"/etc"})"), HasSubstr("options.type"));
  EXPECT_THAT(refused(R"({"type":"tmpfs","o":"bind","device":"/etc"})"),
              HasSubstr("options.device"));
  EXPECT_THAT(refused(R"({"type":"tmpfs","o":"size=1m,bind","device":"tmpfs"})"),
              HasSubstr("must not have 'bind'"));
  EXPECT_THAT(refused(R"({"type":"ext4","device":"/dev/sda1"})"), HasSubstr("options.type"));
  EXPECT_THAT(refused(R"({"Type":"none","device":"/etc"})"), HasSubstr("options.Type"));
  EXPECT_EQ(server_.daemon().server().connections(), 0U);
}

TEST_F(HostObjectsTest, OnlyAdminsReachBeyondTheHost) {
  auto ann = server_.add_user("ann", access::Role::operator_);
  auto token = server_.add_token(ann, access::Role::operator_, {"containers"});
  auto ask = [&](std::string path, std::string body) {
    return refusal_of(server_.send("POST", base + path, body, TestServer::bearer(token)));
  };
  EXPECT_EQ(ask("/volumes", R"({"name":"v","options":{"type":"nfs","device":":/x"}})"),
            "403 role_missing");
  EXPECT_EQ(ask("/networks", R"({"name":"n","driver":"macvlan"})"), "403 role_missing");
}

TEST_F(HostObjectsTest, ANetworkOfAddressesThatAreOthersTakesAnAdmin) {
  auto ann = server_.add_user("ann", access::Role::operator_);
  auto token = server_.add_token(ann, access::Role::operator_, {"containers"});
  expect("POST", "/networks/create").reply(201, R"({"Id":"n1"})").always();
  expect("GET", "/networks/n1").reply(200, R"({"Id":"n1","Name":"n"})").always();
  auto body = [](std::string_view prefix) {
    return fmt::format(R"({{"name":"n","subnets":[{{"prefix":"10.1.0.0/16"}},{{"prefix":"{}"}}]}})",
                       prefix);
  };
  auto status = [&](std::string_view prefix) {
    return server_.send("POST", base + "/networks", body(prefix), TestServer::bearer(token))
        .head.status;
  };
  for (const auto* prefix : {"10.9.0.0/24", "172.31.0.0/16", "192.168.7.0/24", "fd12:3456::/64"}) {
    EXPECT_EQ(status(prefix), 201U) << prefix;
  }
  for (const auto* prefix :
       {"8.8.8.0/24", "169.254.169.0/24", "169.254.0.0/16", "0.0.0.0/0", "172.32.0.0/16",
        "172.0.0.0/8", "100.100.100.0/24", "127.0.0.0/8", "fe80::/64", "2001:db8::/64",
        "::ffff:10.9.0.0/120", "fd00:ec2::/64", "fd00::/16", "fc00::/7"}) {
    EXPECT_EQ(status(prefix), 403U) << prefix;
  }
  EXPECT_EQ(post("/networks", body("8.8.8.0/24")).head.status, 201U);
}

TEST_F(HostObjectsTest, AVolumeInUseIsNotRemovedAndItsUsersAreNamed) {
  expect("GET", "/volumes/data").reply(200, R"({"Name":"data"})");
  expect_uses(R"([{"Id":"c1","Names":["/db"],"State":"running",)"
              R"("Mounts":[{"Type":"volume","Name":"data"}]}])");
  auto answer = server_.ask("DELETE", base + "/volumes/data");
  EXPECT_EQ(refusal_of(answer), "409 volume_in_use");
  EXPECT_THAT(answer.body, HasSubstr("container 'db' (running) uses it"));
  expect("GET", "/volumes/data").reply(200, R"({"Name":"data"})");
  expect_uses("[]");
  expect("DELETE", "/volumes/data").reply(204);
  EXPECT_EQ(server_.ask("DELETE", base + "/volumes/data").head.status, 204U);
}

TEST_F(HostObjectsTest, ANetworkIsMadeAsItsFormSays) {
  expect("POST", "/networks/create").reply(201, R"({"Id":"n1"})");
  expect("GET", "/networks/n1").reply(200, R"({"Id":"n1","Name":"inner","Internal":true})");
  auto made = post("/networks", R"({"name":"inner","internal":true,)"
                                R"("subnets":[{"prefix":"10.9.0.0/24","gateway":"10.9.0.1"}]})");
  EXPECT_EQ(made.head.status, 201U);
  EXPECT_EQ(object_of(made)["id"], "n1");
  EXPECT_THAT(post("/networks", R"({"name":"n","driver":"host"})").body,
              HasSubstr("field 'driver'"));
  EXPECT_THAT(post("/networks", R"({"name":"n","subnets":[{"prefix":"10.9.0.0/33"}]})").body,
              HasSubstr("subnets[0].prefix"));
  EXPECT_THAT(post("/networks", R"({"name":"a/b"})").body, HasSubstr("field 'name'"));
  EXPECT_THAT(post("/networks", R"({"name":"n","labels":{"io.gantry.kind":"x"}})").body,
              HasSubstr("field 'labels'"));
}

TEST_F(HostObjectsTest, ANetworkOfStoppedContainersIsUsedToo) {
  expect("GET", "/networks/inner").reply(200, R"({"Id":"n1","Name":"inner"})");
  expect_uses(R"([{"Id":"c1","Names":["/db"],"State":"exited",)"
              R"("NetworkSettings":{"Networks":{"inner":{"NetworkID":"n1"}}}}])");
  EXPECT_EQ(refusal_of(server_.ask("DELETE", base + "/networks/inner")), "409 network_in_use");
  expect("GET", "/networks/bridge").reply(200, R"({"Id":"n0","Name":"bridge"})");
  EXPECT_EQ(refusal_of(server_.ask("DELETE", base + "/networks/bridge")),
            "409 network_is_the_engines");
}

TEST_F(HostObjectsTest, WhatSandboxesUseIsChangedByAdminsAlone) {
  auto ann = server_.add_user("ann", access::Role::operator_);
  auto token = server_.add_token(ann, access::Role::operator_, {"containers"});
  auto tries = [&](std::string method, std::string path, std::string body = {}) {
    return refusal_of(server_.send(method, base + path, body, TestServer::bearer(token)));
  };
  expect("GET", "/networks/gantry-outbound")
      .reply(200, R"({"Id":"n1","Name":"gantry-outbound","Labels":{"io.gantry.kind":"network"}})")
      .always();
  expect("GET", "/volumes/gantry-init-1")
      .reply(200, R"({"Name":"gantry-init-1","Labels":{"io.gantry.kind":"init-volume"}})");
  EXPECT_EQ(tries("DELETE", "/networks/gantry-outbound"), "403 role_missing");
  EXPECT_EQ(tries("POST", "/networks/gantry-outbound/connect", R"({"container":"web"})"),
            "403 role_missing");
  EXPECT_EQ(tries("DELETE", "/volumes/gantry-init-1"), "403 role_missing");
}

TEST_F(HostObjectsTest, TheDiskIsToldByKind) {
  expect("GET", "/system/df")
      .reply(200, R"({"LayersSize":70,"Images":[{"Id":"sha256:1","Size":60,"SharedSize":10,)"
                  R"("Containers":0},{"Id":"sha256:2","Size":20,"Containers":1}],"Volumes":)"
                  R"([{"Name":"v","UsageData":{"Size":9,"RefCount":0}}]})");
  auto answer = server_.ask("GET", base + "/disk-usage");
  EXPECT_EQ(answer.head.status, 200U);
  auto images = object_of(answer)["images"].as_object();
  EXPECT_EQ(images["size_bytes"], 70);
  EXPECT_EQ(images["reclaimable_bytes"], 50);
  EXPECT_EQ(images["count"], 2);
  EXPECT_EQ(object_of(answer)["volumes"].as_object()["reclaimable_bytes"], 9);
}

TEST_F(HostObjectsTest, AnEngineThatIsAwayIsAnErrorAndNoEmptyAnswer) {
  server_.daemon().server().refuse_connections(
      {ErrorKind::unavailable, "not_listening", "nobody listens", {}});
  EXPECT_EQ(refusal_of(server_.ask("GET", base + "/disk-usage")), "503 engine_not_running");
  EXPECT_EQ(refusal_of(post("/images/prune", R"({"preview":true})")), "503 engine_not_running");
}

/// Somebody who operates one project of the host, and knows of nothing else there.
class HostObjectsGrantTest : public HostObjectsTest {
 protected:
  HostObjectsGrantTest() {
    auto bob = server_.add_user("bob", access::Role::operator_);
    auto set = server_.ask("PUT", fmt::format("/api/v1/users/{}/grants", bob.user.text()),
                           R"({"items":[{"host":"local","project":"shop","role":"operator"}]})");
    EXPECT_EQ(set.head.status, 200U) << set.body;
    headers_ = TestServer::bearer(server_.add_token(bob, access::Role::operator_, {"containers"}));
  }
  net::http::Response ask(std::string method, std::string path, std::string body = {}) {
    return server_.send(std::move(method), base + path, std::move(body), headers_);
  }
  void expect_volume(std::string_view project) {
    expect("GET", "/volumes/data")
        .reply(200,
               fmt::format(R"({{"Name":"data","Labels":{{"com.docker.compose.project":"{}"}}}})",
                           project));
  }

  TestServer::Headers headers_;
};

TEST_F(HostObjectsGrantTest, WhatBelongsToTheHostAsAWholeIsNotThere) {
  for (const auto* path : {"/disk-usage", "/images/x"}) {
    EXPECT_EQ(ask("GET", path).head.status, 404U) << path;
  }
  EXPECT_EQ(ask("POST", "/images/pull", R"({"reference":"web"})").head.status, 404U);
  EXPECT_EQ(ask("POST", "/images/prune", R"({"preview":true})").head.status, 404U);
  EXPECT_EQ(ask("POST", "/volumes", R"({"name":"v"})").head.status, 404U);
  EXPECT_EQ(server_.daemon().server().connections(), 0U);
}

TEST_F(HostObjectsGrantTest, WhatIsOfAnotherProjectLooksAsIfItWereNotThere) {
  expect_volume("other");
  auto hidden = ask("DELETE", "/volumes/data");
  expect("GET", "/volumes/data").reply(404, R"({"message":"no such volume"})");
  auto missing = ask("DELETE", "/volumes/data");
  EXPECT_EQ(refusal_of(hidden), "404 no_such_volume");
  EXPECT_EQ(hidden.body, missing.body);
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(HostObjectsGrantTest, UsersOfAThingThatMayNotBeSeenAreCountedAndNotNamed) {
  expect_volume("shop");
  expect_uses(
      R"([{"Id":"c1","Names":["/shop-db-1"],"State":"running","Labels":)"
      R"({"com.docker.compose.project":"shop"},"Mounts":[{"Type":"volume","Name":"data"}]},)"
      R"({"Id":"c2","Names":["/secret-project"],"State":"running",)"
      R"("Mounts":[{"Type":"volume","Name":"data"}]}])");
  auto refused = ask("DELETE", "/volumes/data");
  EXPECT_EQ(refusal_of(refused), "409 volume_in_use");
  EXPECT_THAT(refused.body, HasSubstr("containers 'shop-db-1' (running) and one other use it"));
  EXPECT_THAT(refused.body, Not(HasSubstr("secret-project")));
}

TEST_F(HostObjectsGrantTest, AProjectOfSomebodyElseIsNotThere) {
  EXPECT_EQ(refusal_of(ask("GET", "/projects/other")), "404 no_such_project");
  EXPECT_EQ(refusal_of(ask("POST", "/projects/other/stop")), "404 no_such_project");
  EXPECT_EQ(refusal_of(ask("GET", "/projects/other/logs")), "404 no_such_project");
}

}  // namespace
}  // namespace gantry::api

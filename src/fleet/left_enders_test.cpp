#include "fleet/left_enders.hpp"

#include "access/audit_store.hpp"
#include "async/race.hpp"
#include "async/testing_fake.hpp"
#include "engine/fake_daemon_fake.hpp"
#include "storage/testing_fake.hpp"

#include <gtest/gtest.h>

namespace gantry::fleet {
namespace {

using engine::FakeDaemon;

TEST(LeftEnders, AreRemovedOnAHostOnceItIsConnected) {
  storage::TemporaryFolder folder;
  async::TestLoop loop;
  auto database = loop.run(storage::open_for_test(folder.path() / "data"));
  loop.run(access::audit::migrate(*database));
  FakeDaemon daemon;
  daemon.expect("GET", "/info").reply(200, R"({"Name":"vm"})").always();
  daemon.expect("GET", "/events*").stream(200, {}).stay_open().always();
  json::Array listed{FakeDaemon::container("f1", "left", "created")};
  daemon.expect("GET", "/containers/json*").reply(200, json::serialize(listed)).always();
  daemon.expect("GET", "/images/json*").reply(200, "[]").always();
  daemon.expect("GET", "/networks*").reply(200, "[]").always();
  daemon.expect("GET", "/volumes*").reply(200, "{}").always();
  auto& removal = daemon.expect("DELETE", "/containers/" + FakeDaemon::id("f1") + "*");
  removal.reply(204).always();
  engine::Ender ender{
      .archive = {}, .dress = {}, .label = "io.gantry.owner=ender", .is_left = [](const auto&) {
        return true;
      }};
  Fleet fleet{
      loop.executor(), *database,
      Fleet::Settings{.local = {value_or_throw(net::Endpoint::parse("unix:///run/x.sock")), {}},
                      .sealer = Sealer{Secret{std::string(Sealer::key_bytes, 'k')}},
                      .dial = [&](const HostReach&) { return daemon.server().connect(); }}};
  loop.run(fleet.start());
  fleet.supervise();
  loop.run(async::with_companion(async::until([&] { return removal.used() > 0; }),
                                 remove_left_enders(fleet, ender, Milliseconds{5})));
  EXPECT_GE(removal.used(), 1U);
  loop.run(fleet.close());
}

}  // namespace
}  // namespace gantry::fleet

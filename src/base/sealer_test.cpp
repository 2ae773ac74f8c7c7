#include "base/sealer.hpp"

#include <gmock/gmock.h>

namespace gantry {
namespace {

Sealer sealer(char fill = 'k') { return Sealer{Secret{std::string(Sealer::key_bytes, fill)}}; }

TEST(SealerTest, WhatWasSealedOpensAgain) {
  auto sealed = sealer().seal("hunter2", "registry ghcr.io");
  EXPECT_THAT(sealed, testing::Not(testing::HasSubstr("hunter2")));
  EXPECT_EQ(sealer().open(sealed, "registry ghcr.io")->reveal(), "hunter2");
}

TEST(SealerTest, AnEmptySecretIsOneToo) {
  EXPECT_EQ(sealer().open(sealer().seal("", "x"), "x")->reveal(), "");
}

TEST(SealerTest, TheSameSecretLooksDifferentEachTime) {
  EXPECT_NE(sealer().seal("hunter2", "x"), sealer().seal("hunter2", "x"));
}

TEST(SealerTest, AnotherKeyContextOrByteOpensNothing) {
  auto sealed = sealer().seal("hunter2", "registry a");
  EXPECT_EQ(sealer('l').open(sealed, "registry a").error().code, "cannot_unseal");
  EXPECT_EQ(sealer().open(sealed, "registry b").error().code, "cannot_unseal");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(sealer().open(changed, "registry a")) << i;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(sealer().open(std::string_view{sealed}.substr(0, size), "registry a")) << size;
  }
}

}  // namespace
}  // namespace gantry

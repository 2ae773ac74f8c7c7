#include "storage/postgres_errors.hpp"

#include <gtest/gtest.h>

namespace gantry::storage {
namespace {

TEST(PostgresErrors, TellInOneSentenceWhatLibpqSaysInSeveralLines) {
  auto error = postgres_error("08006",
                              "connection to server at \"127.0.0.1\", port 1 failed: Connection "
                              "refused\n\tIs the server running on that host?\n",
                              "postgresql://db/x");
  EXPECT_EQ(error.code, "database_unreachable");
  EXPECT_EQ(
      error.message,
      "cannot use database 'postgresql://db/x': connection to server at \"127.0.0.1\", port 1 "
      "failed: Connection refused: Is the server running on that host?");
}

}  // namespace
}  // namespace gantry::storage

#!/usr/bin/env bats
# What the documents promise to list whole.

load helpers

@test "every setting is in both configuration pages and in the example" {
  settings=$(sed -n 's/.*Known{"\([a-z_]*\)", Kind.*/\1/p' "$root/src/main/settings.cpp")
  (($(wc -l <<<"$settings") > 40))
  for file in docs/configuration.md docs/zh-CN/configuration.md packaging/gantry.toml; do
    for setting in $settings; do
      grep -qE "(\`|^# )$setting(\`| =)" "$root/$file" || echo "$file: $setting is missing"
    done
  done | tee "$BATS_TEST_TMPDIR/missing"
  [[ ! -s $BATS_TEST_TMPDIR/missing ]]
}

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

# leads PAGE LABEL…: every known error text can be searched in it and leads to a part of the page
# that has each label.
leads() {
  local page=$root/$1
  shift
  run python3 "$root/tests/dev/guide_leads.py" "$page" "$root/tests/dev/docker_errors.txt" "$@"
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "every error text of Docker's leads to its cause, what mends it and how to check" {
  leads docs/docker-permissions.md '**Cause.**' '**Fix.**' '**Check.**'
}

@test "and in Chinese" {
  leads docs/zh-CN/docker-permissions.md '**原因。**' '**修复。**' '**验证。**'
}

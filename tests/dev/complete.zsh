# complete.zsh FOLDER WORDS: what a zsh that has the script in its $fpath offers for the last of the
# words, one a line. Its completion is asked as somebody would who types, on a terminal of its own.
emulate -R zsh
zmodload zsh/zpty
folder=$1 typed=$2

mkdir -p $folder/zsh
gantry completion zsh >$folder/zsh/_gantry
cat >$folder/zsh/.zshrc <<'INNER'
PROMPT= RPROMPT=
fpath=($ZDOTDIR $fpath)
autoload -Uz compinit && compinit -D -u
# All that completion finds goes through here; -O, -A and -D are its questions to itself.
compadd() {
  if [[ ${@[1,(i)(-|--)]} != *-[OAD]* ]]; then
    local -a hits
    builtin compadd -A hits "$@"
    print -rl -- $hits >>$ZDOTDIR/offered
  fi
  builtin compadd "$@"
}
tell_end() { print THE-END; }
zle -N tell_end
bindkey '^I' complete-word '^X' tell_end
print THE-BEGINNING
INNER
: >$folder/zsh/offered
export ZDOTDIR=$folder/zsh
zpty inner zsh -d -i
zpty -r inner seen '*THE-BEGINNING*'
zpty -w -n inner "$typed"$'\t\x18'
zpty -r inner seen '*THE-END*'
zpty -d inner
grep . $folder/zsh/offered

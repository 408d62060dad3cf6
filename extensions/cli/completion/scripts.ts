/**
 * The scripts by which shells complete the command line.
 *
 * They know nothing themselves: they pass the words to the program, which prints one candidate in a line, with a tab
 * and its meaning behind it. Where it prints none, a shell completes names of files.
 */

/** Shells that can complete the command line. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Name of a shell. */
export type Shell = (typeof SHELLS)[number];

/** First word on the command line of a program that a shell asks for candidates. Users do not type it. */
export const COMPLETE_WORD = "__complete";

/** Returns the script of a shell, for a program of the name `enoki`. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  // A word with "=" or ":" counts as several in bash, which replaces only the last of them.
  bash: `# Put this into ~/.bashrc:  source <(enoki completions bash)
_enoki() {
  local words line
  read -ra words <<<"\${COMP_LINE:0:COMP_POINT}"
  [[ \${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
  local current="\${words[-1]}" typed="\${COMP_WORDS[COMP_CWORD]}"
  [[ $typed == [=:] ]] && typed=""
  local kept="\${current%"$typed"}"
  COMPREPLY=()
  while IFS= read -r line; do
    line="\${line%%$'\\t'*}"
    COMPREPLY+=("\${line#"$kept"}")
  done < <("\${words[0]}" ${COMPLETE_WORD} "\${words[@]:1}" 2>/dev/null)
  # A service is followed by a method, without a space between.
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[.=] ]] && compopt -o nospace
}
complete -o default -F _enoki enoki
`,
  zsh: `#compdef enoki
# Put this into ~/.zshrc, behind compinit:  source <(enoki completions zsh)
_enoki() {
  local line
  local -a found
  for line in "\${(@f)$("\${words[1]}" ${COMPLETE_WORD} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${(M)line%%$'\\t'*}:+:\${line#*$'\\t'}}")
  done
  if (( \${#found} )); then _describe 'enoki' found; else _files; fi
}
compdef _enoki enoki
`,
  fish: `# Put this into ~/.config/fish/config.fish:  enoki completions fish | source
function __enoki_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (command $words[1] ${COMPLETE_WORD} $words[2..] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c enoki -f -a '(__enoki_complete)'
`,
};

#compdef hlhcli
# Completion of hlhcli for Zsh; where it has nothing to say, files.
eval "$(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _HLHCLI_COMPLETE=complete_zsh ${words[1]} 2>/dev/null)"

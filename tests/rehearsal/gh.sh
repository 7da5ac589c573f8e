#!/bin/sh
# In the place of the forge's command line. A release is a folder, with the files of the release in it. As on the forge,
# only --clobber replaces a file, and a draft cannot be downloaded.
set -e

fail() {
    echo "$1" >&2
    exit 1
}

command="gh $*"
unknown() {
    fail "nothing stands in the place of $command"
}

action="$1 $2"
release="$FORGE/$3"
shift 3
case "$action" in
"release create") ;;
"release view" | "release upload" | "release edit" | "release download")
    [ -d "$release" ] || fail "release not found"
    ;;
*) unknown ;;
esac

case "$action" in
"release create")
    mkdir -p "$FORGE"
    mkdir "$release" "$release/files"
    for argument; do
        case "$argument" in
        --draft) touch "$release/draft" ;;
        --verify-tag | --generate-notes) ;;
        *) unknown ;;
        esac
    done
    ;;
"release upload")
    replace=
    for argument; do
        file="$release/files/${argument##*/}"
        case "$argument" in
        --clobber) replace=yes ;;
        -*) unknown ;;
        *)
            [ -n "$replace" ] || [ ! -e "$file" ] || fail "the release has the file $argument"
            cp "$argument" "$file"
            ;;
        esac
    done
    ;;
"release edit")
    [ "$*" = --draft=false ] || unknown
    rm -f "$release/draft"
    ;;
"release download")
    [ ! -e "$release/draft" ] || fail "the release is a draft"
    while [ "$1" != --dir ]; do shift; done
    mkdir -p "$2"
    cp "$release/files/"* "$2"
    ;;
esac

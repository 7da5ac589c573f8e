# Runs a program for arm64 in a root, as the user of the image: sh -c … sh USER GROUP EMULATOR ROOT PROGRAM ARGUMENTS.
# The namespaces that this shell is in have their own emulators (since Linux 6.7) and mounts, so that the machine gets
# none. An empty EMULATOR means that the machine is arm64.
set -e
user=$1 group=$2 emulator=$3 root=$4
shift 4
if [ -n "$emulator" ]; then
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    # An ELF header for 64 bits, little endian, EXEC or DYN, AArch64. F opens the emulator now, outside of the root.
    magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf '%s' ":arm64:M::$magic:$mask:$emulator:F" > /proc/sys/fs/binfmt_misc/register
fi
if [ "$root" != / ]; then
    mount --rbind /dev "$root/dev"
    mount --rbind /proc "$root/proc"
fi
exec unshare --user --map-user="$user" --map-group="$group" --root="$root" -- "$@"

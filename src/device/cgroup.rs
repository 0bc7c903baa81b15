//! Free memory within the control groups (cgroups) of this process: Linux kills a process whose group, or a parent of
//! it, exceeds its limit.
//!
//! `/proc/self/cgroup` names the group, and `/proc/self/mountinfo` its folder. Both versions are supported: v2 has one
//! tree of groups, v1 one per controller. A container often sees only its part of the tree.

use std::path::{Component, Path, PathBuf};

/// The version of a tree of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// `memory` controller, `cgroup` file system.
    V1,
    /// All controllers, `cgroup2` file system.
    V2,
}

/// Mount point of a tree of groups, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// The mounted group; `/` for the complete tree.
    group: String,
    /// Mount point.
    folder: PathBuf,
}

/// Returns the smallest number of free bytes in any of the process's groups; `None` if none has a limit. `root` is the
/// folder that contains `proc` and `sys`.
pub(super) fn free(root: &Path) -> Option<u64> {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).ok();
    let groups = read("proc/self/cgroup").map(|text| parse_groups(&text)).unwrap_or_default();
    let mounts = read("proc/self/mountinfo").map(|text| parse_mounts(&text)).unwrap_or_default();
    let mut folders: Vec<(Version, PathBuf)> = Vec::new();
    for (version, group) in &groups {
        folders.extend(group_folders(group, *version, &mounts).into_iter().map(|folder| (*version, folder)));
    }
    if folders.is_empty() {
        folders.push((Version::V2, PathBuf::from("/sys/fs/cgroup"))); // nothing is known: that of a container
    }
    let in_root = |folder: &Path| root.join(folder.strip_prefix("/").unwrap_or(folder));
    folders.into_iter().filter_map(|(version, folder)| free_in_folder(&in_root(&folder), version)).min()
}

/// Parses the process's groups that may limit memory from `/proc/self/cgroup`: lines such as `0::/user.slice` (v2) and
/// `4:memory:/docker/1f` (v1).
fn parse_groups(text: &str) -> Vec<(Version, String)> {
    let groups = text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (number, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
        let version = match (number, controllers) {
            ("0", "") => Version::V2,
            (_, controllers) if controllers.split(',').any(|controller| controller == "memory") => Version::V1,
            _ => return None,
        };
        Some((version, group.to_owned()))
    });
    groups.collect()
}

/// Parses the mounts of groups that may limit memory from `/proc/self/mountinfo`: lines such as
fn parse_mounts(text: &str) -> Vec<Mount> {
    let mounts = text.lines().filter_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (group, folder) = (unescape(fields.next()?), unescape(fields.next()?));
        let mut fields = file_system.split(' ');
        let (kind, options) = (fields.next()?, fields.nth(1).unwrap_or_default());
        let version = match kind {
            "cgroup2" => Version::V2,
            "cgroup" if options.split(',').any(|option| option == "memory") => Version::V1,
            _ => return None,
        };
        Some(Mount { version, group, folder: PathBuf::from(folder) })
    });
    mounts.collect()
}

/// Decodes octal escapes such as `\040` for a space.
fn unescape(parse_number_after: &str) -> String {
    let mut parts = parse_number_after.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[3..]);
            }
            None => {
                bytes.push(b'\\');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the visible folders of a group and of its parents.
fn group_folders(group: &str, version: Version, mounts: &[Mount]) -> Vec<PathBuf> {
    let of_version = || mounts.iter().filter(|mount| mount.version == version);
    let below = |mount: &Mount| {
        let below = Path::new(group).strip_prefix(&mount.group).ok()?;
        let is_plain = below.components().all(|part| matches!(part, Component::Normal(_)));
        is_plain.then(|| below.to_path_buf())
    };
    let mut folders = Vec::new();
    for mount in of_version() {
        let Some(below) = below(mount) else { continue };
        folders.extend(below.ancestors().map(|part| mount.folder.join(part)));
    }
    if folders.is_empty() {
        // in some containers the group's path is not below the mount: the mount is then the group or a parent
        folders.extend(of_version().map(|mount| mount.folder.clone()));
    }
    folders
}

/// Returns the free bytes in the group of this folder; `None` without a limit or a group.
fn free_in_folder(folder: &Path, version: Version) -> Option<u64> {
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
    let number = |file: &str| read(file)?.trim().parse::<u64>().ok(); // `max` is no number
    let [most, used, files] = match version {
        Version::V1 => ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "],
        Version::V2 => ["memory.max", "memory.current", "inactive_file "],
    };
    // the kernel drops cached files when memory is short
    let files = read("memory.stat").and_then(|text| parse_number_after(&text, files)).unwrap_or(0);
    Some(number(most)?.saturating_sub(number(used)?.saturating_sub(files)))
}

/// Returns the number after the word at the start of a line.
pub(super) fn parse_number_after(text: &str, word: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(word))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Returns the free bytes in a root folder with these files.
    fn free_with_files(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        free(root.path())
    }

    /// systemd on a server: only v2.
    const V2: [(&str, &str); 2] = [
        ("proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_1/step_0/user/task_0\n"),
        (
            "proc/self/mountinfo",
            "22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw\n\
             30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
        ),
    ];

    /// Docker with v1, recorded in a container without a cgroup namespace.
    const DOCKER_V1: [(&str, &str); 2] = [
        (
            "proc/self/cgroup",
            "12:pids:/docker/1f3a\n9:name=systemd:/docker/1f3a\n6:cpu,cpuacct:/docker/1f3a\n4:memory:/docker/1f3a\n0::/system.slice/containerd.service\n",
        ),
        (
            "proc/self/mountinfo",
            "700 690 0:64 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755\n\
             701 700 0:32 /docker/1f3a /sys/fs/cgroup/systemd ro,nosuid - cgroup cgroup rw,xattr,name=systemd\n\
             705 700 0:38 /docker/1f3a /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:17 - cgroup cgroup rw,memory\n\
             706 700 0:39 /docker/1f3a /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n",
        ),
    ];

    /// A machine with both versions; v1 has the memory controller.
    const HYBRID: [(&str, &str); 2] = [
        ("proc/self/cgroup", "9:name=systemd:/\n4:memory:/jobs/4f/step\n1:cpu:/\n0::/\n"),
        (
            "proc/self/mountinfo",
            "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
        ),
    ];

    #[test]
    fn the_least_of_a_group_and_its_parents_is_free() {
        let own = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_1/step_0/user/task_0";
        let job = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_1";
        let limit = |folder: &str, most: &str, used: u64, files: u64| {
            [
                (format!("{folder}/memory.max"), format!("{most}\n")),
                (format!("{folder}/memory.current"), format!("{used}\n")),
                (format!("{folder}/memory.stat"), format!("anon 1\nfile 2\ninactive_file {files}\nactive_file 9\n")),
            ]
        };
        let free = |limits: &[[(String, String); 3]]| {
            let files = limits.iter().flatten().map(|(name, text)| (name.as_str(), text.as_str()));
            free_with_files(&V2.into_iter().chain(files).collect::<Vec<_>>())
        };
        let all = "max";
        assert_eq!(free(&[limit(own, all, MIB, 0), limit(job, all, MIB, 0)]), None);
        assert_eq!(free(&[limit(own, all, 9 * MIB, 0), limit(job, "734003200", 100 * MIB, 0)]), Some(600 * MIB));
        let both = [limit(own, "209715200", 50 * MIB, 0), limit(job, "734003200", 700 * MIB, 60 * MIB)];
        assert_eq!(free(&both), Some(60 * MIB), "the parent's, of which files are given up");
        let own_only = [limit(own, "209715200", 50 * MIB, 10 * MIB), limit(job, "734003200", 60 * MIB, 0)];
        assert_eq!(free(&own_only), Some(160 * MIB));
        assert_eq!(free(&[limit(own, "1048576", 9 * MIB, 0)]), Some(0), "the limit was lowered");
    }

    #[test]
    fn the_memory_of_a_job_of_slurm_limits_its_tasks() {
        // version 1: `ConstrainRAMSpace` limits the group of the job and its steps
        let job = "sys/fs/cgroup/memory/slurm/uid_1000/job_12";
        let no_limit = "9223372036854771712\n";
        let files = [
            ("proc/self/cgroup".to_owned(), "4:memory:/slurm/uid_1000/job_12/step_batch/task_0\n"),
            (
                "proc/self/mountinfo".to_owned(),
                "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n",
            ),
            (format!("{job}/memory.limit_in_bytes"), "734003200\n"),
            (format!("{job}/memory.usage_in_bytes"), "104857600\n"),
            (format!("{job}/step_batch/memory.limit_in_bytes"), no_limit),
            (format!("{job}/step_batch/memory.usage_in_bytes"), "104857600\n"),
            (format!("{job}/step_batch/task_0/memory.limit_in_bytes"), no_limit),
            (format!("{job}/step_batch/task_0/memory.usage_in_bytes"), "104857600\n"),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        assert_eq!(free_with_files(&files), Some(600 * MIB));
    }

    #[test]
    fn in_a_container_the_mounted_group_is_its_own() {
        let of_memory = [
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "734003200\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "209715200\n"),
            ("sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 104857600\n"),
        ];
        assert_eq!(free_with_files(&DOCKER_V1.into_iter().chain(of_memory).collect::<Vec<_>>()), Some(600 * MIB));
        // with a cgroup namespace the group is always `/`
        let namespace = [
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
            ("sys/fs/cgroup/memory.max", "734003200\n"),
            ("sys/fs/cgroup/memory.current", "104857600\n"),
        ];
        assert_eq!(free_with_files(&namespace), Some(600 * MIB));
        // a mount from outside of the namespace has a path with `..`
        let outside = [("proc/self/mountinfo", "30 23 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n")];
        let outside: Vec<_> = [namespace[0], outside[0], namespace[2], namespace[3]].into();
        assert_eq!(free_with_files(&outside), Some(600 * MIB));
    }

    #[test]
    fn groups_of_both_versions_are_looked_at() {
        let no_limit = "9223372036854771712\n";
        let limits = [
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", no_limit),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1048576\n"),
            ("sys/fs/cgroup/memory/jobs/4f/memory.limit_in_bytes", "104857600\n"),
            ("sys/fs/cgroup/memory/jobs/4f/memory.usage_in_bytes", "1048576\n"),
            ("sys/fs/cgroup/memory/jobs/4f/step/memory.limit_in_bytes", no_limit),
            ("sys/fs/cgroup/memory/jobs/4f/step/memory.usage_in_bytes", "1048576\n"),
        ];
        assert_eq!(free_with_files(&HYBRID.into_iter().chain(limits).collect::<Vec<_>>()), Some(99 * MIB));
        let v2 = [("sys/fs/cgroup/unified/memory.max", "2097152"), ("sys/fs/cgroup/unified/memory.current", "0")];
        assert_eq!(free_with_files(&HYBRID.into_iter().chain(limits).chain(v2).collect::<Vec<_>>()), Some(2 * MIB));
    }

    #[test]
    fn groups_and_mounts_are_read_from_their_lines() {
        let groups = parse_groups("4:memory,hugetlb:/a:b\n5:memory_other:/c\n0::/d e\nnonsense\n");
        assert_eq!(groups, [(Version::V1, "/a:b".to_owned()), (Version::V2, "/d e".to_owned())]);
        let mounts = parse_mounts(
            "30 23 0:26 /a\\040b /mnt/c\\134d rw shared:9 master:1 - cgroup2 none rw\nnonsense\n\
             31 23 0:27 / /x rw - cgroup cgroup rw,cpu\n",
        );
        let wanted = Mount { version: Version::V2, group: "/a b".to_owned(), folder: PathBuf::from("/mnt/c\\d") };
        assert_eq!(mounts, [wanted]);
        assert_eq!(unescape("a\\0"), "a\\0");
    }

    #[test]
    fn another_groups_mount_and_a_group_outside_of_the_namespace_are_not_followed() {
        let mount = |group: &str, folder: &str| Mount {
            version: Version::V2,
            group: group.to_owned(),
            folder: PathBuf::from(folder),
        };
        let mounts = [mount("/", "/all"), mount("/other", "/other"), mount("/pod/own", "/own")];
        let folders = |group: &str| group_folders(group, Version::V2, &mounts);
        assert_eq!(folders("/pod/own"), ["/all/pod/own", "/all/pod", "/all", "/own"].map(PathBuf::from));
        assert_eq!(folders("/../beside"), ["/all", "/other", "/own"].map(PathBuf::from), "no `..` is followed");
        assert!(group_folders("/a", Version::V1, &mounts).is_empty());
    }
}

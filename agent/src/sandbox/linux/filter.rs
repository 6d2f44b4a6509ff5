//! The seccomp filter: no way to the network, none into other processes, none around the other layers.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Refused whatever the policy says: reaching into other processes, io_uring (its operations pass no filter), and
/// what only a root user could do.
const ALWAYS: &[libc::c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_setns,
];

/// Programs made for the 32-bit-pointer ABI of x86-64 call the same functions under these numbers.
#[cfg(target_arch = "x86_64")]
const ALIASES: &[libc::c_long] = &[0, 0x4000_0000];
#[cfg(not(target_arch = "x86_64"))]
const ALIASES: &[libc::c_long] = &[0];

/// The filter; `EPERM` for what it refuses.
pub(super) fn build(network: bool) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut refuse = |call: libc::c_long, when: Vec<SeccompRule>| {
        for alias in ALIASES {
            rules.insert(call | alias, when.clone());
        }
    };
    for call in ALWAYS {
        refuse(*call, Vec::new());
    }
    // TIOCSTI types into the terminal of whoever looks at it; TIOCLINUX pastes there.
    refuse(
        libc::SYS_ioctl,
        vec![
            SeccompRule::new(vec![equals(1, libc::TIOCSTI)?])?,
            SeccompRule::new(vec![equals(1, libc::TIOCLINUX)?])?,
        ],
    );
    if !network {
        // Unix sockets stay for pairs and for servers of the command's own, but nothing may be connected to: the
        // daemons that listen on them (D-Bus, Docker) do not live in this sandbox.
        let not_unix = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family(libc::AF_UNIX))?;
        let datagram = SeccompCondition::new(
            1,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::MaskedEq(0xf),
            family(libc::SOCK_DGRAM),
        )?;
        refuse(
            libc::SYS_socket,
            vec![SeccompRule::new(vec![not_unix])?, SeccompRule::new(vec![datagram])?],
        );
        refuse(libc::SYS_connect, Vec::new());
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        arch,
    )?;
    filter.try_into()
}

fn family(value: libc::c_int) -> u64 {
    u64::from(value.unsigned_abs())
}

fn equals(argument: u8, value: libc::c_ulong) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

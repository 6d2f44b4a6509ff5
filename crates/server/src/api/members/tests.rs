//! Who may make what of whom.

use super::*;

#[test]
fn nobody_raises_himself_and_admins_stay_below_owners() {
    use Role::{Admin, Member, Owner, Viewer};
    for by in Role::ALL {
        for now in Role::ALL {
            for then in [None, Some(Viewer), Some(Member), Some(Admin), Some(Owner)] {
                let about_others = may(Wish {
                    by,
                    own: false,
                    now,
                    then,
                })
                .is_ok();
                let expect = match by {
                    Owner => true,
                    Admin => now != Owner && then != Some(Owner),
                    Member | Viewer => false,
                };
                assert_eq!(about_others, expect, "{by:?} makes {then:?} of {now:?}");
                let own = may(Wish {
                    by,
                    own: true,
                    now,
                    then,
                });
                assert_eq!(
                    own.is_ok(),
                    then <= Some(now),
                    "{by:?}, {now:?}, makes {then:?} of himself"
                );
            }
        }
    }
}

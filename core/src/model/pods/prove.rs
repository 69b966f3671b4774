//! The tests of an adapter, in one line.

/// Tests named after P1 to P12, and one about nothing in particular, each of which runs
/// schedules of pods on an adapter. All properties are checked in all of them.
///
/// Takes a `ProptestConfig`, and a function that runs one schedule on a store of its own:
/// `fn(usize, &[Action]) -> Result<(), BrokenRun>`. The crate that calls it needs `proptest`.
#[macro_export]
macro_rules! prove_pods {
    ($config:expr, $run:path) => {
        $crate::prove_pods! { @tests $config, $run,
            p1_doing_a_command_twice_is_doing_it_once: P1,
            p2_no_command_of_an_older_or_closed_session_changes_the_record: P2,
            p3_without_heartbeats_every_pod_sees_offline_after_the_threshold: P3,
            p4_a_watched_silence_is_one_loss_however_many_pods_look: P4,
            p5_the_edges_of_an_epoch_follow_the_grammar: P5,
            p6_folding_the_history_gives_the_record: P6,
            p7_a_run_gives_what_the_order_of_its_commits_gives: P7,
            p8_no_transition_is_lost_or_doubled: P8,
            p9_a_heartbeat_on_an_open_session_makes_it_connected_and_online: P9,
            p10_nobody_is_lost_for_a_silence_in_which_nobody_listened: P10,
            p11_wall_clocks_that_are_hours_off_change_nothing: P11,
            p12_after_its_credential_ended_a_session_changes_nothing: P12,
        }
    };
    (@tests $config:expr, $run:path, $($name:ident: $property:ident),+ $(,)?) => {
        ::proptest::proptest! {
            #![proptest_config($config)]

            #[test]
            fn any_schedule_keeps_every_property(
                count in 1..=4_usize,
                actions in ::proptest::collection::vec($crate::model::pods::actions(), 0..80),
            ) {
                ::proptest::prop_assert_eq!($run(count, &actions), Ok(()));
            }

            $(#[test]
            fn $name(
                count in 1..=3_usize,
                actions in ::proptest::collection::vec(
                    $crate::model::pods::actions_about($crate::model::Property::$property),
                    0..80,
                ),
            ) {
                ::proptest::prop_assert_eq!($run(count, &actions), Ok(()));
            })+
        }
    };
}

//! MT-Uncertainty as the authors' code scores it: Hn = H / (H' + 1e-5), and a candidate's score is Hn times its task's
//! mean Hn over the largest one.

use super::{Candidates, over};

/// Keeps their quotient finite where there is one class.
const EPSILON: f64 = 1e-5;

/// Hn, of H and the H' of its task.
pub fn normalized(entropy: f64, uniform: f64) -> f64 {
    entropy / (uniform + EPSILON)
}

/// Mean Hn of a task's candidates, 0 where there are none.
pub fn task_mean(candidates: &Candidates) -> f64 {
    let Candidates { entropies, uniform } = candidates;
    entropies.iter().map(|entropy| normalized(*entropy, *uniform)).sum::<f64>()
        / entropies.len().max(1) as f64
}

/// The score of every candidate, in the tasks' order. `tasks` hold their own entropies, 0 where there is no
/// distribution; a task with a donor takes the donor's scores, the i-th for the i-th and 0 where the donor has none.
pub fn scores(tasks: &[Candidates], donors: &[Option<usize>]) -> Vec<Vec<f64>> {
    let means: Vec<f64> = tasks.iter().map(task_mean).collect();
    let largest = means.iter().copied().fold(0.0, f64::max);
    let own: Vec<Vec<f64>> = tasks
        .iter()
        .zip(&means)
        .map(|(task, mean)| {
            let share = over(*mean, largest);
            task.entropies.iter().map(|entropy| normalized(*entropy, task.uniform) * share).collect()
        })
        .collect();
    tasks
        .iter()
        .zip(donors)
        .enumerate()
        .map(|(task, (candidates, donor))| match donor {
            None => own[task].clone(),
            Some(donor) => {
                let lent = own[*donor].iter().copied().chain(std::iter::repeat(0.0));
                lent.take(candidates.entropies.len()).collect()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let ln2 = std::f64::consts::LN_2;
        let tasks = [
            Candidates { entropies: vec![0.5 * ln2, 0.25 * ln2], uniform: ln2 },
            Candidates { entropies: vec![0.0; 3], uniform: 0.0 }, // regresses
            Candidates { entropies: vec![ln2, 0.5 * ln2], uniform: ln2 },
        ];
        let found = scores(&tasks, &[None, Some(0), None]);
        let unit = ln2 / (ln2 + 1e-5);
        let expected = [vec![0.25, 0.125], vec![0.25, 0.125, 0.0], vec![1.0, 0.5]];
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected * unit).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn certain_candidates_score_zero() {
        let tasks = [Candidates { entropies: vec![0.0], uniform: 1.0 }];
        assert_eq!(scores(&tasks, &[None]), [[0.0]]);
    }
}

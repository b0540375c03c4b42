namespace Fusion.Tests.Stateful;

/// <summary>One call: what is passed, in which scope, what the caller does with the results, and what it changes before the next call.</summary>
/// <param name="Arguments">Of each argument how it is made.</param>
/// <param name="Scope">0: none, 1 and 2: recorded, 3: in training mode.</param>
/// <param name="After">What is done with the results.</param>
/// <param name="Between">What is changed afterwards.</param>
/// <param name="Seed">Of the values.</param>
internal sealed record StatefulCall(int[] Arguments, int Scope, int After, int Between, int Seed)
{
    public const int ArgumentKinds = 15, Afters = 9, Betweens = 13;

    private const int Recorded = 6;

    /// <summary>Calls a function in its scope; what it gives and leaves behind.</summary>
    /// <param name="world">The arrays outside.</param>
    /// <param name="f">The function.</param>
    /// <param name="apart">Whether results may be written: they are arrays of their own. Null: to be found out.</param>
    public StatefulOutcome Run(StatefulWorld world, Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, bool? apart)
    {
        NDArray[] arguments;
        IReadOnlyList<NDArray>? results = null;
        StatefulOutcome outcome = new();
        using (Open())
        {
            using (Arguments.Contains(Recorded) ? Open() : Autograd.Pause()) arguments = Draw(world);
            outcome.Take("before", world, arguments);
            try
            {
                results = f(arguments);
            }
            catch (Exception error)
            {
                outcome.Error = error;
            }

            outcome.Take("after", world, arguments, results);
        }

        if (results is null) return outcome;
        outcome.AreApart = apart ?? (results.Distinct().Count() == results.Count && !results.Intersect([.. arguments, .. world.All]).Any());
        try
        {
            Use(world, arguments, results, outcome);
        }
        catch (Exception error)
        {
            outcome.LaterError = error;
        }

        outcome.Take("end", world, arguments, results);
        Change(world);
        return outcome;
    }

    public override string ToString() => $"call [{string.Join(", ", Arguments)}], scope {Scope}, after {After}, between {Between}, seed {Seed}";

    private RecordScope Open() => Scope switch
    {
        1 => Autograd.Record(),
        2 => Autograd.Record(trainMode: false),
        3 => Autograd.TrainMode(),
        _ => Autograd.Pause(),
    };

    private NDArray[] Draw(StatefulWorld world)
    {
        Random random = new(Seed);
        NDArray[] arguments = new NDArray[Arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i] = Arguments[i] switch
            {
                1 => arguments[0] ?? world.Base[..2],
                2 => world.Captured[0],
                3 => world.Base[..2],
                4 => Variable(world.Draw((2, 3), random), GradReq.Write),
                5 => Variable(world.Draw((2, 3), random), GradReq.Add),
                Recorded => world.Kept[0] * 2,
                7 => world.Draw((3, 2), random).Transpose(),
                8 => world.Kept[i],
                9 => world.Draw((4, 3), random),
                10 => world.Captured[1],
                11 => world.Draw((2, 3), random, DType.Float64),
                12 => world.Base[1..],
                13 => world.Draw((2, 1), random),
                14 => Nd.Array([1, 2, 0, 3, 1, 1], (2, 3)).To(world.Device),
                _ => world.Draw((2, 3), random),
            };
        }

        return arguments;
    }

    private void Use(StatefulWorld world, NDArray[] arguments, IReadOnlyList<NDArray> results, StatefulOutcome outcome)
    {
        NDArray head = results[0];
        switch (After)
        {
            case 1:
                head.Backward();
                break;
            case 2:
                Autograd.Backward(results, [.. results.Select(static (r, i) => (NDArray?)(r.Detach() * 0.5 + i))]);
                break;
            case 3:
                head.Backward(retainGraph: true);
                head.Backward();
                break;
            case 4:
                outcome.Add("gradient", Autograd.Grad(head, world.Captured[1]));
                break;
            case 5:
                outcome.Add("gradient", Autograd.Grad(head, arguments[0]));
                break;
            case 6 when Scope is 1 or 2:
                NDArray sum;
                using (Open()) sum = ((results[^1].DType.IsFloat ? results[^1] : world.Captured[1]) * 2).Sum() + (world.Captured[0] * 3).Sum();
                sum.Backward();
                break;
            case 7 when Scope is 1 or 2:
                NDArray penalty;
                using (Open()) penalty = Autograd.Grad(head, arguments[0], createGraph: true).Square().Sum();
                penalty.Backward();
                break;
            case 8 when outcome.AreApart:
                head.Fill(7);
                arguments[0].Fill(9);
                break;
        }
    }

    private void Change(StatefulWorld world)
    {
        switch (Between)
        {
            case 1:
                world.Captured[0].AttachGrad();
                break;
            case 2:
                world.Captured[0].AttachGrad(GradReq.Add);
                break;
            case 3:
                world.Captured[1].DropGrad();
                break;
            case 4:
                world.Captured[2].Fill(0.25);
                break;
            case 5:
                world.Captured[1].Assign(world.Captured[0]);
                break;
            case 6:
                world.Kept[0].AttachGrad(GradReq.Add);
                break;
            case 7:
                world.Captured[1].ZeroGrad();
                break;
            case 8:
                world.Captured[1].FreshGrad = false;
                break;
            case 9:
                world.Kept[0].DropGrad();
                break;
            case 10:
                world.Captured[5].Fill(3);
                break;
            case 11:
                world.Captured[5].Fill(0);
                break;
            case 12:
                world.Optimizer.LearningRate *= 0.5;
                break;
        }
    }

    private static NDArray Variable(NDArray x, GradReq request)
    {
        x.AttachGrad(request);
        return x;
    }
}

using Fusion.Optim;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Updates alone, from one large parameter to a thousand small ones; also of parameters whose gradients have become zero, so that what is kept of them fades.</summary>
internal static class Optimizers
{
    public const string Area = "optimizers", FadedArea = "optimizers, gradients that have become zero";

    // 0.9 to this power is below the least number of Float32.
    private const int StepsOfFading = 1200;

    private static readonly (int Count, int Size, bool Quick, bool Faded)[] s_sizes =
    [
        (1, 1_000_000, true, false), (1, 1000, true, false), (10, 1000, false, false), (100, 1000, true, false), (1000, 1000, true, false), (100, 1000, true, true),
    ];

    /// <summary>An optimizer on both sides, and how many arrays of the parameters' size it reads and writes.</summary>
    private sealed record Row(string Name, int Arrays, Func<NDArray[], Optimizer> Ours, Func<TorchSharp.Modules.Parameter[], optim.Optimizer> Theirs);

    private static readonly Row[] s_optimizers =
    [
        new("Adam", 7, static p => new Adam(p, learningRate: 1e-3), static p => optim.Adam(p, 1e-3)),
        new("SGD with momentum", 5, static p => new Sgd(p, 0.01, momentum: 0.9), static p => optim.SGD(p, 0.01, momentum: 0.9)),
    ];

    public static IEnumerable<PeerCase> All => s_optimizers.SelectMany(static row => s_sizes.Select(s =>
        new PeerCase(s.Faded ? FadedArea : Area, $"{row.Name}, {s.Count:N0} tensor(s) of {s.Size:N0}{(s.Faded ? $", gradients zero for {StepsOfFading:N0} steps" : string.Empty)}", () =>
            [Ours(Contender.Hybridized, row, s.Count, s.Size, s.Faded), Ours(Contender.Eager, row, s.Count, s.Size, s.Faded), Theirs(row, s.Count, s.Size, ScalarType.Float32, s.Faded)])
        {
            IsQuick = s.Quick && row.Name == "Adam",
            Work = Work.Floats((double)row.Arrays * s.Count * s.Size),
            Exact = () => Theirs(row, s.Count, s.Size, ScalarType.Float64, s.Faded).Result!(),
            Growth = s is { Size: 1000, Faded: false } ? new Growth($"{row.Name}, tensors", s.Count) : null,
        }));

    // The update alone: gradients are marked as fresh instead of being computed.
    private static Contender Ours(string name, Row row, int count, int size, bool faded)
    {
        NDArray[] all = [.. Enumerable.Range(0, count).Select(i => FusionSide.Normal(size, (ulong)i))];
        for (int i = 0; i < count; i++)
        {
            all[i].AttachGrad();
            all[i].Grad!.Assign(FusionSide.Normal(size, (ulong)(5000 + i)));
        }

        Optimizer optimizer = row.Ours(all);
        Func<IReadOnlyList<NDArray>> step = () =>
        {
            foreach (NDArray parameter in all) parameter.FreshGrad = true;
            optimizer.Step();
            return [];
        };
        if (faded)
        {
            step();
            foreach (NDArray parameter in all) parameter.Grad!.Fill(0);
            for (int i = 0; i < StepsOfFading; i++) step();
        }

        HybridFunction<Func<IReadOnlyList<NDArray>>> compiled = step.Hybridize();
        Func<IReadOnlyList<NDArray>> run = name == Contender.Hybridized ? compiled.Invoke : step;
        return new Contender(name, () => run(), () =>
        {
            run();
            return [.. all.Take(10).SelectMany(FusionSide.Elements)];
        })
        {
            Fallback = () => compiled.Report.FellBack ? compiled.Report.FallbackReason : null,
        };
    }

    private static Contender Theirs(Row row, int count, int size, ScalarType dtype, bool faded)
    {
        TorchSharp.Modules.Parameter[] parameters =
            [.. Enumerable.Range(0, count).Select(i => new TorchSharp.Modules.Parameter(TorchSide.Of(FusionSide.Normal(size, (ulong)i)).to_type(dtype)))];
        for (int i = 0; i < count; i++) parameters[i].grad = TorchSide.Of(FusionSide.Normal(size, (ulong)(5000 + i))).to_type(dtype);
        optim.Optimizer optimizer = row.Theirs(parameters);
        if (faded)
        {
            optimizer.step();
            foreach (TorchSharp.Modules.Parameter parameter in parameters) parameter.grad!.zero_();
            for (int i = 0; i < StepsOfFading; i++) optimizer.step();
        }

        return new Contender(Contender.Torch, TorchSide.Scoped(() => optimizer.step()), () =>
        {
            optimizer.step();
            return [.. parameters.Take(10).SelectMany(static p => Table.TorchArrays.Elements(p))];
        });
    }
}

using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Fusion.Kernels;

namespace Fusion;

/// <summary>The untyped heart of a hybridized function: guards, variants, calls, the tape node, fallback.</summary>
internal sealed class HybridEngine(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function, HybridOptions options, string name, bool discardState = false)
{
    private static readonly bool s_disabled = Environment.GetEnvironmentVariable("FUSION_HYBRIDIZE") == "0";

    // A call finds its way at the first or second attempt, unless other threads drop the variants that it needs.
    private const int MaxAttempts = 8;

    // As many calls in a row may make parameters; a function whose every call makes some is never traced.
    private const int MostPostponed = 8;

    private readonly Lock _lock = new();

    // What runs eagerly must have the same bits, be allowed, and not be what is verified.
    private readonly VariantAdmission? _admission = options is { FallbackToEager: true, FastMath: false, Verify: HybridVerify.Off } ? new VariantAdmission(options.MaxVariants) : null;
    private KeptVariants _kept = new([]);
    private long _clock;
    private long _hits;
    private long _misses;
    private long _compileTicks;
    private int _compileCount;
    private int _postponed;
    private volatile bool _changesState; // a trace did; others, of another mode or another way, need not

    public Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> Function => function;

    public HybridOptions Options => options;

    public string Name => name;

    /// <summary>The function's results are wanted, not what it changes: for gradients of a call that was made before.</summary>
    public bool DiscardsState => discardState;

    /// <summary>The memory of what lives during a call.</summary>
    public ArenaPool Arenas { get; } = new();

    /// <summary>Held by calls that change state, and while tracing, which tries changes out; taken before the lock of the variants.</summary>
    public Lock StateLock { get; } = new();

    public HybridVariant? Last => _kept.Last;

    public int VariantCount => _kept.All.Length;

    public int CompileCount => _compileCount;

    public TimeSpan CompileTime => TimeSpan.FromSeconds((double)_compileTicks / Stopwatch.Frequency);

    public long Hits => Interlocked.Read(ref _hits);

    public long Misses => Interlocked.Read(ref _misses);

    /// <summary>Calls for which no variant was made, because most variants were dropped unused.</summary>
    public long Refused => _admission?.Refused ?? 0;

    public string? LastMiss { get; private set; }

    /// <summary>The number of C# that was another one in the trace before.</summary>
    public string? ChangedNumber { get; private set; }

    public string? FallbackReason { get; private set; } = s_disabled ? "FUSION_HYBRIDIZE=0" : null;

    public IReadOnlyList<NDArray> Invoke(NDArray[] inputs)
    {
        ExecutionState state = ExecutionState.Current;

        // Inside another trace the function is inlined; the outer compiler then sees through it. So it is where calls are put on the tape again.
        if (state.Tracer is not null || state.Sequences is not null || state.Ways is { Inlines: true }) return function(inputs);
        if (FallbackReason is not null) return RunEagerly(inputs, state);
        foreach (NDArray input in inputs)
        {
            ArgumentNullException.ThrowIfNull(input, nameof(inputs));
            input.ThrowIfUnusable(name);
        }

        HybridVariant? variant = Find(inputs, state);
        if (variant is null && IsRefused(inputs, state)) return RunRefused(inputs, state);
        variant ??= Trace(inputs, state);
        return variant is { Trace.Outcomes.Count: > 0 } ? RunBranches(variant, inputs, state) : Run(variant, inputs, state);
    }

    public void Clear()
    {
        lock (_lock)
        {
            _kept = new KeptVariants([]);
            _admission?.Clear(Hits);
            ChangedNumber = null;
            if (!s_disabled) FallbackReason = null;
        }
    }

    public string ToCSharp()
    {
        StringBuilder text = new(KernelPrinter.Usings);
        text.AppendLine().AppendLine("public static unsafe class FusedKernels").AppendLine("{");
        HashSet<object> seen = [];
        foreach (HybridVariant variant in _kept.All)
        {
            foreach (PlanStep step in variant.Plans.SelectMany(static p => p.Steps))
            {
                foreach (LoweredKernel kernel in step.Kernels) Print(kernel.Spec, kernel.Members, name => KernelCompiler.ToCSharp(kernel.Spec, name), variant);
                foreach ((RowSpec spec, OpNode[] members) in step.RowKernels) Print(spec, members, name => KernelCompiler.ToCSharp(spec, name), variant);
            }
        }

        return text.AppendLine("}").ToString();

        void Print(object spec, OpNode[] members, Func<string, string> print, HybridVariant variant)
        {
            if (!seen.Add(spec)) return;
            foreach (OpNode member in members)
                if (variant.Log?.Find(member) is { Line: not null } call) text.AppendLine($"// {call}");
            text.Append(print($"Kernel{seen.Count - 1}")).AppendLine();
        }
    }

    public string ToPtx()
    {
        IEnumerable<PlanStep> steps = _kept.All.SelectMany(static v => v.Plans).SelectMany(static p => p.Steps);
        return string.Join('\n', steps.SelectMany(static s => s.Ptx()).Distinct());
    }

    /// <summary>Runs a build and adds its cost to the report.</summary>
    /// <param name="phase"><c>trace</c> or <c>compile</c>.</param>
    /// <param name="build">The work.</param>
    public T Timed<T>(string phase, Func<T> build)
    {
        using Activity? activity = Telemetry.Start(phase, name);
        long start = Stopwatch.GetTimestamp();
        int before = KernelCompiler.CompileCountOfThread;
        T result = build();
        long ticks = Stopwatch.GetTimestamp() - start;
        int kernels = KernelCompiler.CompileCountOfThread - before;
        Interlocked.Add(ref _compileTicks, ticks);
        Interlocked.Add(ref _compileCount, kernels);
        Telemetry.End(activity, phase, name, Stopwatch.GetElapsedTime(0, ticks), kernels);
        return result;
    }

    /// <summary>Adds what this thread has compiled for accelerators since then: that happens at first launches.</summary>
    public void CountSince((int Count, long Ticks) before)
    {
        (int count, long ticks) = DeviceCompilation.OfThread;
        if (count == before.Count) return;
        Interlocked.Add(ref _compileCount, count - before.Count);
        Interlocked.Add(ref _compileTicks, ticks - before.Ticks);
    }

    private IReadOnlyList<NDArray> Run(HybridVariant? variant, NDArray[] inputs, ExecutionState state) =>
        IsReady(variant, inputs) ? RunPlan(variant, inputs, state) : RunInTurn(inputs, state);

    private bool IsReady([NotNullWhen(true)] HybridVariant? variant, NDArray[] inputs) =>
        variant is not null && !variant.IsAliased(inputs) && (variant.Forward is not null || IsBuilt(variant));

    private NDArray[] RunPlan(HybridVariant variant, NDArray[] inputs, ExecutionState state)
    {
        using Activity? activity = Telemetry.Run("run", name);
        bool verify = options.Verify == HybridVerify.Always || (options.Verify == HybridVerify.FirstCall && !variant.Verified);
        return verify ? HybridVerifier.Run(this, variant, inputs) : HybridCall.Run(this, variant, inputs, state);
    }

    // A call that leaves the way of its variant is made again by the variant of its own way. Where a launch throws, the way may have been a wrong one.
    private IReadOnlyList<NDArray> RunBranches(HybridVariant? variant, NDArray[] inputs, ExecutionState state)
    {
        for (int attempt = 0; attempt < MaxAttempts && IsReady(variant, inputs); attempt++)
        {
            try
            {
                return RunPlan(variant, inputs, state);
            }
            catch (OtherBranchException other)
            {
                variant = FindBranch(variant, other.Index, inputs, state) ?? Trace(inputs, state, variant, other.Index);
            }
            catch (Exception failure) when (failure is not HybridizeException && variant.Trace.Outcomes.Count > 0)
            {
                int index = FirstOther(variant, inputs);
                if (index < 0) throw;
                variant = FindBranch(variant, index, inputs, state) ?? Trace(inputs, state, variant, index);
            }
        }

        return RunInTurn(inputs, state);
    }

    private bool IsRefused(NDArray[] inputs, ExecutionState state) =>
        _admission is not null && Array.TrueForAll(inputs, static x => !x.IsOnGpu) && !_admission.Admits(inputs, state);

    private IReadOnlyList<NDArray> RunRefused(NDArray[] inputs, ExecutionState state)
    {
        Interlocked.Increment(ref _misses);
        HybridVariant? last = Last;
        LastMiss = last is null ? "the first call" : HybridSignature.Of(inputs, state).Difference(last.Signature);
        Telemetry.Miss(name, LastMiss);
        return RunInTurn(inputs, state);
    }

    // Calls that change state follow one another, those without a plan too.
    private IReadOnlyList<NDArray> RunInTurn(NDArray[] inputs, ExecutionState state)
    {
        if (!_changesState) return RunEagerly(inputs, state);
        lock (StateLock) return RunEagerly(inputs, state);
    }

    // As a compiled call, it decides at its conditions for itself.
    private IReadOnlyList<NDArray> RunEagerly(NDArray[] inputs, ExecutionState state)
    {
        using KnownWays.Scope ways = KnownWays.Enter(state, null);
        return function(inputs);
    }

    // The first condition that is not as in the variant, for these inputs; −1: all are.
    private int FirstOther(HybridVariant variant, NDArray[] inputs)
    {
        BranchPath path = new(inputs);
        lock (StateLock)
            lock (_lock) Run(variant.Signature, null, path);
        IReadOnlyList<BranchOutcome> traced = variant.Trace.Outcomes;
        for (int i = 0; i < traced.Count && i < path.Outcomes.Count; i++)
            if (traced[i].Holds != path.Outcomes[i].Holds) return i;
        return -1;
    }

    private HybridVariant? FindBranch(HybridVariant from, int index, NDArray[] inputs, ExecutionState state)
    {
        KeptVariants kept = _kept;
        foreach (HybridVariant variant in kept.All)
            if (variant.Follows(from, index) && variant.Signature.Matches(inputs, state) && variant.Holds()) return Hit(kept, variant);
        return null;
    }

    /// <summary>The variant whose guards hold; null: the call has to be traced.</summary>
    public HybridVariant? Find(NDArray[] inputs, ExecutionState state)
    {
        KeptVariants kept = _kept;
        if (kept.Last is { } last && last.Signature.Matches(inputs, state) && last.Holds()) return Hit(kept, last);
        foreach (HybridVariant variant in kept.All)
            if (variant.Signature.Matches(inputs, state) && variant.Holds()) return Hit(kept, variant);
        return null;
    }

    private HybridVariant Hit(KeptVariants kept, HybridVariant variant)
    {
        Interlocked.Increment(ref _hits);
        if (variant.LastUsed != Volatile.Read(ref _clock)) variant.LastUsed = Interlocked.Increment(ref _clock);
        if (!ReferenceEquals(kept.Last, variant)) kept.Last = variant;
        return variant;
    }

    private HybridVariant? Trace(NDArray[] inputs, ExecutionState state, HybridVariant? from = null, int index = 0)
    {
        lock (StateLock)
            lock (_lock)
            {
                if ((from is null ? Find(inputs, state) : FindBranch(from, index, inputs, state)) is { } made) return made;
                HybridSignature signature = HybridSignature.Of(inputs, state);
                if (from is not null) LastMiss = $"condition {index}, of {from.Trace.Outcomes[index].Operation}, is {!from.Trace.Outcomes[index].Holds}, before {from.Trace.Outcomes[index].Holds}";
                else LastMiss = Last is { } last ? signature.Difference(last.Signature) : "the first call";
                Interlocked.Increment(ref _misses);
                FunctionTrace trace;
                TraceLog? log = TraceLog.For(options);
                try
                {
                    trace = Timed("trace", () =>
                    {
                        Telemetry.Miss(name, LastMiss);
                        FunctionTrace first = Run(signature, log, new BranchPath(inputs), inputs);
                        if (first.Own.Arrays.IsEmpty) return first; // otherwise once more: see OwnWrites
                        first.Own.Arrays.Settle(first.Own.Device);
                        log = TraceLog.For(options);
                        return Run(signature, log, new BranchPath(inputs), inputs);
                    });
                    if (discardState) trace.DropWrites();
                    signature.RecordsInside = trace.Variables.Length > 0 || trace.ReadsInputMarks || (trace.Recorded && (!state.Recording || trace.IsStateful));
                    signature.ReadsMarks = signature.RecordsInside || trace.ReturnsInput;
                }
                catch (SharedVariableException)
                {
                    return null;
                }
                catch (TracePostponedException) when (++_postponed <= MostPostponed)
                {
                    return null;
                }
                catch (TraceFailedException failure)
                {
                    if (!options.FallbackToEager) throw new HybridizeException($"{name} cannot be hybridized: {failure.Message}.", failure);
                    FallbackReason = failure.Message;
                    Diagnostics.Warn($"{name} runs eagerly: {failure.Message}.");
                    return null;
                }

                _postponed = 0;
                if (trace.IsStateful) _changesState = true;
                HybridVariant variant = new(signature, trace, log) { Number = (int)_misses, LastUsed = Interlocked.Increment(ref _clock) };
                if (Last is { } before) Compare(before.Trace, trace);
                if (log is not null) IrDump.Write(name, variant.Number, "trace", () => GraphPrinter.Calls(log));
                HybridVariant[] all = _kept.All, others = all.Length < options.MaxVariants ? all : [.. all.OrderByDescending(static v => v.LastUsed).Take(Math.Max(0, options.MaxVariants - 1))];
                _kept = new KeptVariants([.. others, variant], variant);
                if (others.Length < all.Length && from is null && _admission?.Drop(Hits) == true)
                    Diagnostics.Warn($"{name} is called for many more shapes than {options.MaxVariants} variants: from now on a shape runs eagerly when it comes for the first time. Raise HybridOptions.MaxVariants, or pad to fewer shapes.");
                if (VariantCount == 9) Diagnostics.Warn($"{name} has been compiled for nine variants; the last one because {LastMiss}.");
                return variant;
            }
    }

    private void Compare(FunctionTrace before, FunctionTrace now)
    {
        if (ConstantChange.Find(before, now) is not { } change) return;
        ChangedNumber = change;
        Diagnostics.Warn($"{name} has been traced with another number: {change}. Numbers of C# are constants of a trace, and other variants keep theirs: call Clear(), or pass it as an array.");
    }

    // False while the variant is compiled in the background. Apart from Invoke, whose every call would pay for the closure.
    private bool IsBuilt(HybridVariant variant)
    {
        if (!options.CompileInBackground)
        {
            Build(variant);
            return true;
        }

        Task building;
        lock (_lock) building = variant.Building ??= Task.Run(() => Build(variant));
        if (!building.IsCompleted) return false;
        if (building.IsFaulted)
            lock (_lock) variant.Building = null; // the next call tries again
        building.GetAwaiter().GetResult();
        return true;
    }

    /// <summary>What differs between the function now and when the variant was traced, for diagnostics.</summary>
    public string? ChangeSince(HybridVariant variant)
    {
        if (variant.Log is not { } before) return null;
        TraceLog now = new();
        try
        {
            lock (StateLock)
                lock (_lock) Run(variant.Signature, now, new BranchPath(null), ways: new KnownWays(variant.Trace.Ways, inlines: true));
        }
        catch (TraceFailedException failure)
        {
            return failure.Message;
        }

        return Bisection.Change(before, now);
    }

    private FunctionTrace Run(HybridSignature signature, TraceLog? log, BranchPath path, NDArray[]? arrays = null, KnownWays? ways = null) =>
        FunctionTrace.Run(
            function, signature.Types, signature.Recording ? signature.Gradient : null, signature.Training, signature.Marks, options.KeepGradients, log, signature.Device, options.FastMath,
            path, arrays, ways);

    private void Build(HybridVariant variant) => Timed("compile", () =>
    {
        if (variant.Build(this)) IrDump.Write(name, variant.Number, "forward", variant.Forward!);
        return 0;
    });
}

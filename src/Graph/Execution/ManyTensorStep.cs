using System.Buffers;
using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>One kernel over many tensors: small ones follow one another without a launch each, and all of them together are split among threads.</summary>
internal sealed unsafe class ManyTensorStep : PlanStep
{
    private readonly FusedStep[] _members;
    private readonly int[] _inputStarts;
    private readonly int[] _outputStarts;
    private readonly List<Stretch> _stretches = [];
    private readonly long[] _sizes;

    // The first stretch of each piece, and the end.
    private readonly List<int> _pieces = [0];

    public ManyTensorStep(PlanGroup group, FusedStep[] members)
        : base(group, [.. members.SelectMany(static m => m.Inputs)], [.. members.SelectMany(static m => m.Outputs)])
    {
        _members = members;
        _inputStarts = new int[members.Length + 1];
        _outputStarts = new int[members.Length + 1];
        _sizes = [.. members.Select(static m => m.Group.Shape.Size)];
        long piece = ElementDriver.LeastPiece(members[0].Group.ExpandedWeight, members[0].Outputs[0].DType.Size);
        long filled = 0;
        for (int k = 0; k < members.Length; k++)
        {
            _inputStarts[k + 1] = _inputStarts[k] + members[k].Inputs.Length;
            _outputStarts[k + 1] = _outputStarts[k] + members[k].Outputs.Length;
            long size = members[k].Group.Shape.Size;
            for (long start = 0; start < size; start += piece)
            {
                long end = Math.Min(start + piece, size);
                _stretches.Add(new Stretch(k, start, end));
                filled += end - start;
                if (filled < piece) continue;
                _pieces.Add(_stretches.Count);
                filled = 0;
            }
        }

        if (_pieces[^1] != _stretches.Count) _pieces.Add(_stretches.Count);
    }

    /// <summary>The launches that became this one.</summary>
    public IReadOnlyList<FusedStep> Members => _members;

    public override IEnumerable<LoweredKernel> Kernels => _members[0].Kernels;

    public override IEnumerable<string> Ptx(int capability = 80) => [DeviceKernelText.ToPtx(_members[0].Spec, capability, _members.Length)];

    public override bool CannotFail => true;

    public override bool TakesArrays => _members[0].TakesArrays;

    /// <summary>The tensors are worked on in any order: only the one that writes may read the old value.</summary>
    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves)
    {
        foreach (FusedStep member in _members)
        {
            bool writes = Array.IndexOf(member.Outputs, output) >= 0;
            if (writes ? !member.CanOverwrite(old, output, leaves) : Array.Exists(member.Inputs, i => ReferenceEquals(Placement.Root(i, leaves), old))) return false;
        }

        return true;
    }

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        if (outputs[0].IsOnGpu)
        {
            RunOnDevice(inputs, outputs);
            return;
        }

        Job job = new() { Step = this, Inputs = inputs, Outputs = outputs };
        int pieces = _pieces.Count - 1;
        if (pieces > 1 && WorkerPool.Threads > 1)
        {
            WorkerPool.Run(pieces, &RunPiece, Unsafe.AsPointer(ref job));
            return;
        }

        for (int i = 0; i < pieces; i++) RunPiece(Unsafe.AsPointer(ref job), i);
    }

    private void RunOnDevice(ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs)
    {
        NDArray[] arrays = ArrayPool<NDArray>.Shared.Rent(inputs.Length + outputs.Length);
        int at = 0;
        for (int k = 0; k < _members.Length; k++)
        {
            foreach (NDArray input in inputs[_inputStarts[k].._inputStarts[k + 1]]) arrays[at++] = input;
            foreach (NDArray output in outputs[_outputStarts[k].._outputStarts[k + 1]]) arrays[at++] = output;
        }

        DeviceElementExecution.Run(_members[0].Spec, arrays.AsSpan(0, at), _sizes);
        ArrayPool<NDArray>.Shared.Return(arrays, clearArray: true);
    }

    private static void RunPiece(void* context, int index)
    {
        ref Job job = ref Unsafe.AsRef<Job>(context);
        ManyTensorStep step = job.Step;
        for (int i = step._pieces[index]; i < step._pieces[index + 1]; i++)
        {
            (int k, long start, long end) = step._stretches[i];
            StretchAction action = new() { Kernel = step._members[k].Kernel, Start = start, End = end };
            ArrayPins.Run(
                job.Inputs[step._inputStarts[k]..step._inputStarts[k + 1]], job.Outputs[step._outputStarts[k]..step._outputStarts[k + 1]], ref action);
        }
    }

    /// <summary>Elements of one tensor; starts are multiples of the kernel's grain.</summary>
    private readonly record struct Stretch(int Member, long Start, long End);

    // Lives on the caller's stack while all pieces run.
    private ref struct Job
    {
        public ManyTensorStep Step;
        public ReadOnlySpan<NDArray> Inputs;
        public ReadOnlySpan<NDArray> Outputs;
    }

    private struct StretchAction : IArrayAction
    {
        public ElementKernel Kernel;
        public long Start;
        public long End;

        public readonly void Invoke(ReadOnlySpan<nint> pointers)
        {
            fixed (nint* table = pointers) Kernel.Invoke((nint)table, Start, End);
        }
    }
}

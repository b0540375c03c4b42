using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Row programs on rows that are too long for one group of threads: step by step, each a kernel of the library over all rows, with the bits of one kernel.
/// What a step computes lies in memory until its last reader has run.
/// </summary>
internal sealed class DeviceLongRows
{
    private readonly GpuDevice _device;
    private readonly RowSpec _spec;
    private readonly int _rows;
    private readonly int _length;
    private readonly Value[] _values;
    private readonly int[] _lastUse;

    private DeviceLongRows(GpuDevice device, RowSpec spec, ReadOnlySpan<DeviceRowOperand> inputs, int rows, int length)
    {
        (_device, _spec, _rows, _length) = (device, spec, rows, length);
        (_values, _lastUse) = (new Value[spec.ValueCount], new int[spec.ValueCount]);
        for (int v = 0; v < inputs.Length; v++)
            _values[v] = new Value(inputs[v].Operand, inputs[v].RowStride, spec.Inputs[v].Kind == RowInputKind.Elements ? 1 : 0, IsOwned: false);
        for (int v = inputs.Length; v < spec.ValueCount; v++)
        {
            foreach (int argument in spec.Arguments(v)) _lastUse[argument] = v;
            // A repeated value is the memory of what it repeats.
            if (spec.Steps[v - inputs.Length].Kind == RowStepKind.Repeat) _lastUse[spec.Steps[v - inputs.Length].Value] = int.MaxValue;
        }

        foreach (int output in spec.Outputs) _lastUse[output] = int.MaxValue;
    }

    /// <summary>Queues the program; operands as <see cref="DeviceRows.Run"/> takes them, none of them mapped.</summary>
    public static void Run(GpuDevice device, RowSpec spec, ReadOnlySpan<DeviceRowOperand> operands, int rows, int length)
    {
        DeviceLongRows run = new(device, spec, operands[..spec.Inputs.Length], rows, length);
        for (int v = spec.Inputs.Length; v < spec.ValueCount; v++)
        {
            run._values[v] = run.Step(v);
            run.Release(v);
        }

        for (int k = 0; k < spec.Outputs.Length; k++) run.Copy(spec.Outputs[k], operands[spec.Inputs.Length + k]);
        run.Release(int.MaxValue);
        foreach (DeviceRowOperand operand in operands) GC.KeepAlive(operand.Operand.Block);
    }

    private Value Step(int v)
    {
        RowStep step = _spec.Steps[v - _spec.Inputs.Length];
        switch (step.Kind)
        {
            case RowStepKind.Length:
                return new Value(DeviceOperand.Number(_length, _spec.Type), 0, 0, IsOwned: false);
            case RowStepKind.Repeat:
                return _values[step.Value] with { IsOwned = false };
            case RowStepKind.Reduce:
                return Reduce(step);
            case RowStepKind.AtLabel:
                Value found = Fresh(v);
                DeviceRowLabels.At(_device, _values[step.Value].Operand, _values[step.Value].RowStride, _values[step.Label].Operand, found.Operand, _rows, _length);
                return found;
            case RowStepKind.IsLabel:
                Value mask = Fresh(v);
                DeviceRowLabels.Is(_device, _values[step.Label].Operand, mask.Operand, _rows, _length);
                return mask;
            default:
                if (step.Element.Op is not { } op) return new Value(DeviceOperand.Number(step.Element.Constant, _spec.Type), 0, 0, IsOwned: false);
                Value result = Fresh(v);
                int[] arguments = [.. _spec.Arguments(v)];
                Element(KernelSpec.Of(op, _spec.Is64), [.. arguments.Select(a => _values[a]), result], _spec.Scope(v));
                return result;
        }
    }

    private Value Reduce(RowStep step)
    {
        Value x = _values[step.Value];
        bool isWhole = _spec.Scope(step.Value) == RowScope.Element && x is { Operand.Block: not null, ColumnStride: 1 } && (x.RowStride == _length || _rows == 1);
        if (!isWhole)
        {
            // What is repeated is written out first.
            x = Fresh(RowScope.Element, _spec.Type);
            Element(s_copies[_spec.Is64 ? 1 : 0], [_values[step.Value], x], RowScope.Element);
        }

        Value y = Fresh(RowScope.Row, _spec.Type);
        DeviceBlock from = x.Operand.Block!, to = y.Operand.Block!;
        if (step.Reduction == RowReduction.MaxNumber) DeviceReduce.MaxNumber(_device, _spec.Type, from, x.Operand.Offset, to, 0, _rows, _length);
        else DeviceReduce.Run(_device, KindOf(step.Reduction), _spec.Type, _spec.Type, from, x.Operand.Offset, to, 0, _rows, _length, 1);
        if (!isWhole) from.Release();
        return y;
    }

    private static ReduceKind KindOf(RowReduction reduction) => reduction switch
    {
        RowReduction.Sum => ReduceKind.Sum,
        RowReduction.Prod => ReduceKind.Prod,
        RowReduction.Max => ReduceKind.Max,
        _ => ReduceKind.Min,
    };

    private void Copy(int value, DeviceRowOperand output)
    {
        int operand = _spec.Inputs.Length + Array.IndexOf(_spec.Outputs.ToArray(), value);
        bool isElements = _spec.IsElements(operand);
        Value to = new(output.Operand, output.RowStride, isElements ? 1 : 0, IsOwned: false);
        int kind = (_spec.Is64 ? 1 : 0) + (_spec.IsMask(value) ? 2 : 0);
        Element(s_copies[kind], [_values[value], to], isElements ? RowScope.Element : RowScope.Row);
    }

    private static readonly KernelSpec[] s_copies =
        [.. Enumerable.Range(0, 4).Select(static kind => new KernelSpec((kind & 1) != 0, [new KernelInput(IsMask: kind > 1)], [], [0]))];

    // One kernel over the elements, or over one a row.
    private void Element(KernelSpec spec, Value[] values, RowScope scope)
    {
        int rank = scope == RowScope.Element ? 2 : 1;
        DeviceOperand[] operands = [.. values.Select(static v => v.Operand)];
        long[] strides = new long[rank * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            strides[rank * i] = values[i].RowStride;
            if (rank == 2) strides[(2 * i) + 1] = values[i].ColumnStride;
        }

        ReadOnlySpan<int> shape = rank == 2 ? [_rows, _length] : [_rows];
        DeviceElements.Run(_device, spec, operands, strides, shape);
    }

    private Value Fresh(int v) => Fresh(_spec.Scope(v), _spec.IsMask(v) ? DType.Bool : _spec.Type);

    private Value Fresh(RowScope scope, DType type)
    {
        bool isElement = scope == RowScope.Element;
        DeviceBlock block = new(_device, Math.Max(16, (isElement ? (long)_rows * _length : _rows) * type.Size));
        return new Value(new DeviceOperand(block, 0, type), isElement ? _length : 1, isElement ? 1 : 0, IsOwned: true);
    }

    // What nobody reads after a step. The memory is used again in the order of the stream.
    private void Release(int step)
    {
        for (int v = _spec.Inputs.Length; v < _values.Length; v++)
        {
            if (!_values[v].IsOwned || _lastUse[v] > step || v > step) continue;
            _values[v].Operand.Block!.Release();
            _values[v] = _values[v] with { IsOwned = false };
        }
    }

    /// <summary>Where a value lies: elements from row to row and from column to column.</summary>
    private readonly record struct Value(DeviceOperand Operand, long RowStride, long ColumnStride, bool IsOwned);
}

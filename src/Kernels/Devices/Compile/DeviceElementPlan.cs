using ILGPU;

namespace Fusion.Kernels;

/// <summary>One call: axes merged where all operands allow it, and how each operand is accessed. Lives on the caller's stack.</summary>
internal ref struct DeviceElementPlan
{
    // Elements that are moved together: a view of such begins at a multiple of them.
    internal const int Quad = 4;

    private readonly KernelSpec _spec;
    private readonly int _rankOfCall;
    private readonly Span<long> _strides; // of the merged axes, innermost first; operand-major
    private readonly Span<int> _sizes;
    private int _rank;
    private ulong _accesses;
    private bool _isStrided;

    /// <summary>Merges axes. The spans for the results have as many elements as the strides and the shape.</summary>
    public DeviceElementPlan(
        KernelSpec spec, ReadOnlySpan<DeviceOperand> operands, ReadOnlySpan<long> strides, ReadOnlySpan<int> shape, Span<long> mergedStrides, Span<int> sizes)
    {
        (_spec, _rankOfCall) = (spec, shape.Length);
        _strides = mergedStrides;
        _sizes = sizes;
        long size = 1;
        foreach (int n in shape) size *= n;
        if (size > int.MaxValue) throw DeviceFailures.TooLarge("An array", size, int.MaxValue);
        Size = (int)size;
        if (size == 0) return;
        Merge(operands, strides, shape);
        for (int k = 0; k < operands.Length; k++)
        {
            DeviceAccess access = operands[k].Block is null ? DeviceAccess.Host : Classify(k);
            _isStrided |= access == DeviceAccess.Strided;
            _accesses |= (ulong)access << (2 * k);
        }
    }

    /// <summary>Elements.</summary>
    public int Size { get; }

    public readonly DeviceElementKey Key(KernelSpec spec, DType type, ReadOnlySpan<DeviceOperand> operands) =>
        new(spec, type, _accesses, _isStrided ? _rank : 1, !_isStrided && Size >= 4 && IsAligned(operands));

    /// <summary>The arguments of the kernel: see <see cref="DeviceElementTree"/>.</summary>
    public readonly void Fill(DeviceArguments arguments, ReadOnlySpan<DeviceOperand> operands)
    {
        arguments.Clear();
        arguments.Add(Size);
        for (int k = 0; k < operands.Length; k++)
        {
            DeviceOperand operand = operands[k];
            switch ((DeviceAccess)((_accesses >> (2 * k)) & 3))
            {
                case DeviceAccess.Host:
                    arguments.Set(k, operand.Value);
                    break;
                case DeviceAccess.One:
                    arguments.Set(k, operand.Block!, operand.Offset, 1, operand.Type.Size);
                    break;
                case DeviceAccess.Contiguous:
                    arguments.Set(k, operand.Block!, operand.Offset, Size, operand.Type.Size);
                    break;
                default:
                    FillStrided(arguments, k, operand);
                    break;
            }
        }

        if (!_isStrided) return;
        for (int d = 0; d < _rank - 1; d++)
        {
            // Axes of one element have been merged: the shift reaches beyond the low half of the product.
            DeviceDivisor divisor = new(_sizes[d]);
            arguments.Add(_sizes[d]);
            arguments.Add((int)divisor.Multiplier);
            arguments.Add(divisor.Shift - 32);
        }
    }

    private readonly void FillStrided(DeviceArguments arguments, int k, DeviceOperand operand)
    {
        long low = 0, high = 0;
        ReadOnlySpan<long> strides = _strides.Slice(k * _rankOfCall, _rank);
        for (int d = 0; d < _rank; d++)
        {
            long reach = strides[d] * (_sizes[d] - 1);
            low += Math.Min(reach, 0);
            high += Math.Max(reach, 0);
        }

        if (high - low >= int.MaxValue)
            throw DeviceFailures.TooLarge("A view", high - low + 1, int.MaxValue);
        arguments.Set(k, operand.Block!, operand.Offset + low, high - low + 1, operand.Type.Size);
        arguments.Add((int)-low);
        foreach (long stride in strides) arguments.Add((int)stride);
    }

    // Axis d joins the one inside it when, for every operand, a step of d is as far as a whole run of the inner axis. Axes of size 1 vanish.
    private void Merge(ReadOnlySpan<DeviceOperand> operands, ReadOnlySpan<long> strides, ReadOnlySpan<int> shape)
    {
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            if (shape[axis] == 1) continue;
            bool joins = _rank > 0;
            for (int k = 0; k < operands.Length; k++)
            {
                Span<long> merged = _strides.Slice(k * _rankOfCall, _rankOfCall);
                merged[_rank] = operands[k].Block is null || IsScalar(k) ? 0 : strides[(k * shape.Length) + axis];
                joins = joins && merged[_rank] == merged[_rank - 1] * _sizes[_rank - 1];
            }

            if (joins) _sizes[_rank - 1] *= shape[axis];
            else _sizes[_rank++] = shape[axis];
        }
    }

    private readonly bool IsScalar(int k) => k < _spec.Inputs.Length && _spec.Inputs[k].IsScalar;

    private readonly DeviceAccess Classify(int k)
    {
        bool isOne = true, isFlat = true;
        long flat = 1;
        ReadOnlySpan<long> strides = _strides.Slice(k * _rankOfCall, _rank);
        for (int d = 0; d < _rank; d++)
        {
            isOne &= strides[d] == 0;
            isFlat &= strides[d] == flat;
            flat *= _sizes[d];
        }

        // An output of one element is contiguous; an input is read once.
        bool isInput = k < _spec.Inputs.Length;
        return isOne && isInput ? DeviceAccess.One : isFlat ? DeviceAccess.Contiguous : DeviceAccess.Strided;
    }

    private readonly bool IsAligned(ReadOnlySpan<DeviceOperand> operands)
    {
        for (int k = 0; k < operands.Length; k++)
        {
            if ((DeviceAccess)((_accesses >> (2 * k)) & 3) != DeviceAccess.Contiguous) continue;
            if (operands[k].Offset % Quad != 0) return false;
        }

        return true;
    }
}
